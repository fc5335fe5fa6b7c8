"""EtlJob: Glue 5.1, encrypted and limited, with a role that reaches its two tables only."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from cdk_ml_lens import AlarmRule, Engine, EtlJob, EtlStep, JobLimits, PropError, QualityGate, QualityRule
from tests.unit.lake.lake_support import FEATURES, condition_of, lake_with_telemetry, published
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]


def clean(stack: cdk.Stack, **props: Any) -> EtlJob:
    lake, telemetry = lake_with_telemetry(stack)
    step = EtlStep.clean(source=telemetry, target=published(lake), feature_set=FEATURES)
    return EtlJob(stack, "Clean", step=step, **props)


def failure_alarm(template: Template) -> dict[str, Any]:
    alarms = [item["Properties"] for item in template.of_type("AWS::CloudWatch::Alarm").values()]
    (found,) = [alarm for alarm in alarms if alarm.get("MetricName") == "TriggeredRules"]
    return dict(found)


def test_minimal_runs_the_kernel_on_one_node_of_glue_5_1(stack: cdk.Stack, synth: Synth) -> None:
    clean(stack)
    job = synth(stack).only("AWS::Glue::Job")
    assert (job["GlueVersion"], job["WorkerType"], job["NumberOfWorkers"]) == ("5.1", "G.1X", 2)
    assert (job["Timeout"], job["MaxRetries"], job["ExecutionProperty"]["MaxConcurrentRuns"]) == (120, 0, 1)
    arguments = job["DefaultArguments"]
    assert (arguments["--step"], arguments["--engine"]) == ("clean", "single_node")
    assert json.loads(arguments["--feature_set"]) == json.loads(FEATURES.render())
    assert json.loads(arguments["--quality"]) == ["RowCount >= 1"]
    assert arguments["--max_quarantined_share"] == "0.05"
    assert arguments["--event_bus"] == "default"
    assert arguments["--additional-python-modules"] == "polars==2.1.0"
    assert arguments["--job-bookmark-option"] == "job-bookmark-disable"
    for observed in ("--enable-metrics", "--enable-observability-metrics", "--enable-continuous-cloudwatch-log"):
        assert observed in arguments
    assert "--artifacts" not in arguments


def test_tables_and_prefixes_are_those_of_the_step(stack: cdk.Stack, synth: Synth) -> None:
    job = clean(stack)
    arguments = synth(stack).only("AWS::Glue::Job")["DefaultArguments"]
    source, target = job.step.source, job.step.target
    assert target is not None
    for argument, expected in (
        ("--source", f"{source.database_name}.telemetry"),
        ("--target", f"{target.database_name}.readings"),
        ("--target_location", f"s3://{target.bucket.bucket_name}/readings/"),
        ("--quarantine", f"s3://{target.bucket.bucket_name}/_quarantine/readings/"),
    ):
        assert arguments[argument] == stack.resolve(expected), argument


def test_everything_that_glue_writes_is_encrypted_with_the_lakes_key(stack: cdk.Stack, synth: Synth) -> None:
    clean(stack)
    template = synth(stack)
    encryption = template.only("AWS::Glue::SecurityConfiguration")["EncryptionConfiguration"]
    ((key_id, _),) = template.of_type("AWS::KMS::Key").items()
    used = [encryption["CloudWatchEncryption"], encryption["JobBookmarksEncryption"], *encryption["S3Encryptions"]]
    assert [item["KmsKeyArn"]["Fn::GetAtt"][0] for item in used] == [key_id] * 3
    assert template.only("AWS::Glue::Job")["SecurityConfiguration"]["Ref"] in template.resources


def test_the_role_reaches_its_tables_and_is_there_before_the_job(stack: cdk.Stack, synth: Synth) -> None:
    clean(stack)
    template = synth(stack)
    statements = template.statements("CleanRole")
    allowed = template.actions("CleanRole")
    assert {"glue:GetTable", "glue:UpdateTable", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"} <= allowed
    assert not [action for action in allowed if "*" in action]
    assert condition_of(statements, "events:PutEvents") == {
        "StringEqualsIfExists": {"events:source": "cdk-ml-lens.lake"}
    }
    assert condition_of(statements, "cloudwatch:PutMetricData") == {"StringEquals": {"cloudwatch:namespace": "Glue"}}
    written = [item for item in statements if "s3:PutObject" in item["Action"]]
    assert "telemetry" not in json.dumps(written)
    ((job_id, _),) = template.of_type("AWS::Glue::Job").items()
    policies = {id for id in template.of_type("AWS::IAM::Policy") if "CleanRole" in id}
    assert policies
    assert policies <= template.depends_on(job_id)


def test_full_takes_engine_limits_bus_key_and_topic(stack: cdk.Stack, synth: Synth) -> None:
    job = clean(
        stack,
        engine=Engine.spark(workers=20, worker_type="G.2X"),
        limits=JobLimits(timeout_minutes=30, retries=2, concurrency=3, bookmarks=True),
        event_bus=events.EventBus(stack, "Mine"),
        encryption_key=kms.Key(stack, "Mykey"),
        alarm_topic=sns.Topic.from_topic_arn(stack, "Topic", "arn:aws:sns:eu-west-1:111122223333:alarms"),
    )
    starter = iam.Role(stack, "Starter", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
    job.grant_start(starter)
    template = synth(stack)
    props = template.only("AWS::Glue::Job")
    assert (props["WorkerType"], props["NumberOfWorkers"], props["Timeout"]) == ("G.2X", 20, 30)
    assert (props["MaxRetries"], props["ExecutionProperty"]["MaxConcurrentRuns"]) == (2, 3)
    arguments = props["DefaultArguments"]
    assert arguments["--engine"] == "spark"
    assert arguments["--job-bookmark-option"] == "job-bookmark-enable"
    assert "Mine" in json.dumps(arguments["--event_bus"])
    security = template.only("AWS::Glue::SecurityConfiguration")["EncryptionConfiguration"]
    assert "Mykey" in json.dumps(security["CloudWatchEncryption"])
    assert template.actions("Starter") == {
        "glue:BatchStopJobRun",
        "glue:GetJobRun",
        "glue:GetJobRuns",
        "glue:StartJobRun",
    }
    assert len(failure_alarm(template)["AlarmActions"]) == 1


def test_a_failed_or_late_run_raises_the_alarm(stack: cdk.Stack, synth: Synth) -> None:
    clean(stack)
    template = synth(stack)
    alarm = failure_alarm(template)
    ((dimension,),) = [alarm["Dimensions"]]
    assert dimension["Name"] == "RuleName"
    pattern = template.resources[dimension["Value"]["Ref"]]["Properties"]["EventPattern"]
    assert pattern["detail-type"] == ["Glue Job State Change"]
    assert pattern["detail"]["state"] == ["ERROR", "FAILED", "TIMEOUT"]
    ((job_id, _),) = template.of_type("AWS::Glue::Job").items()
    assert pattern["detail"]["jobName"] == [{"Ref": job_id}]


def test_failures_are_counted_by_one_rule_however_often_they_are_asked_for(stack: cdk.Stack, synth: Synth) -> None:
    job = clean(stack)
    first, second = job.metric_failures(), job.metric_failures()
    assert stack.resolve(first.dimensions) == stack.resolve(second.dimensions)
    assert len(synth(stack).of_type("AWS::Events::Rule")) == 1


def test_refused_batches_reach_a_target(stack: cdk.Stack, synth: Synth) -> None:
    queue = sqs.Queue(stack, "Heard")
    job = clean(stack)
    job.on_refused("Refused", targets.SqsQueue(queue))
    rules = [item["Properties"] for item in synth(stack).of_type("AWS::Events::Rule").values()]
    (rule,) = [item for item in rules if item["EventPattern"]["source"] == ["cdk-ml-lens.lake"]]
    assert rule["EventPattern"]["detail-type"] == ["Data Quality Failed"]
    assert job.step.target is not None
    assert rule["EventPattern"]["detail"]["table"] == [stack.resolve(f"{job.step.target.database_name}.readings")]
    assert len(rule["Targets"]) == 1


def test_fails_to_hear_of_refusals_of_a_job_without_table(stack: cdk.Stack, tmp_path: Path) -> None:
    _, telemetry = lake_with_telemetry(stack)
    script = tmp_path / "mine.py"
    script.write_text("print('mine')")
    job = EtlJob(stack, "Mine", step=EtlStep.from_script(script, source=telemetry))
    with pytest.raises(PropError, match="step must publish a table for job 'Mine', got 'script'"):
        job.on_refused("Refused", targets.SqsQueue(sqs.Queue(stack, "Heard")))


def test_an_alarm_of_ones_own_is_on_a_metric_of_glue(stack: cdk.Stack, synth: Synth) -> None:
    clean(stack).alarm("Long", AlarmRule(metric="glue.driver.aggregate.elapsedTime", threshold=3_600_000))
    alarms = [item["Properties"] for item in synth(stack).of_type("AWS::CloudWatch::Alarm").values()]
    (made,) = [alarm for alarm in alarms if alarm["Namespace"] == "Glue"]
    assert {item["Name"] for item in made["Dimensions"]} == {"JobName", "JobRunId", "Type"}


def test_normalising_writes_its_parameters_beside_the_table(stack: cdk.Stack, synth: Synth) -> None:
    lake, telemetry = lake_with_telemetry(stack)
    EtlJob(stack, "Scale", step=EtlStep.normalise(source=telemetry, target=published(lake), feature_set=FEATURES))
    template = synth(stack)
    arguments = template.only("AWS::Glue::Job")["DefaultArguments"]
    assert "/_artifacts/normalisation/readings/" in json.dumps(arguments["--artifacts"])
    assert "/_artifacts/normalisation/readings/*" in json.dumps(template.statements("ScaleRole"))


def test_a_script_of_ones_own_gets_its_own_arguments_only(stack: cdk.Stack, synth: Synth, tmp_path: Path) -> None:
    lake, telemetry = lake_with_telemetry(stack)
    script = tmp_path / "mine.py"
    script.write_text("print('mine')")
    step = EtlStep.from_script(script, source=telemetry, target=published(lake), arguments={"--day": "2026-11-21"})
    EtlJob(stack, "Mine", step=step)
    arguments = synth(stack).only("AWS::Glue::Job")["DefaultArguments"]
    assert arguments["--day"] == "2026-11-21"
    assert "--feature_set" not in arguments


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Engine.single_node(worker_type="m5.large"), "worker_type must be one of .* for engine single_node"),
        (lambda: Engine.spark(workers=1), "workers must be between 2 and 299 for engine spark, got 1"),
        (lambda: JobLimits(timeout_minutes=0), "timeout_minutes must be between 1 and 10080"),
        (lambda: JobLimits(retries=11), "retries must be between 0 and 10"),
        (lambda: JobLimits(concurrency=0), "concurrency must be between 1 and 1000"),
    ],
)
def test_fails_on_what_glue_refuses(make: Callable[[], object], message: str) -> None:
    with pytest.raises(PropError, match=message):
        make()


def test_fails_on_rules_of_columns_that_the_target_lacks(stack: cdk.Stack) -> None:
    lake, telemetry = lake_with_telemetry(stack)
    gate = QualityGate(rules=[QualityRule.is_complete("pressure")])
    with pytest.raises(PropError, match=r"quality must look at the columns .* for step 'clean', got \['pressure'\]"):
        EtlStep.clean(source=telemetry, target=published(lake), feature_set=FEATURES, quality=gate)


def test_fails_on_a_script_that_is_not_there(stack: cdk.Stack) -> None:
    lake, telemetry = lake_with_telemetry(stack)
    with pytest.raises(PropError, match="script must be a file for step 'script', got 'nowhere.py'"):
        EtlStep.from_script(Path("nowhere.py"), source=telemetry, target=published(lake))


def test_nag_is_clean(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    clean(stack)
    assert nag(stack) == []
