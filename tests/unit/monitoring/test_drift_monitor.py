"""DriftMonitor: window, job, metrics and alarm of the template; permissions; refusals; nag."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from cdk_ml_lens import (
    AlarmRule,
    AnswerCheck,
    ApprovedDeployment,
    CaptureSource,
    DriftRules,
    DriftSchedule,
    EndpointShape,
    IsolatedNetwork,
    MonitoringJob,
    PropError,
    SyntheticRequest,
)
from tests.unit.monitoring.drift_support import bucket, check_machine, definition, monitor, registry
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]


def states(template: Template) -> dict[str, Any]:
    found: dict[str, Any] = definition(template, "MonitorMachine")["States"]
    return found


def argument(job: dict[str, Any], name: str) -> str:
    words: list[str] = job["AppSpecification"]["ContainerArguments"]
    return words[words.index(f"--{name}") + 1]


def test_minimal_judges_a_day_every_day_without_network(stack: cdk.Stack, synth: Synth) -> None:
    made = monitor(stack)
    template = synth(stack)
    schedule = template.only("AWS::Scheduler::Schedule")
    assert schedule["ScheduleExpression"] == "rate(1440 minutes)"
    assert json.loads(schedule["Target"]["Input"]) == {"scheduled": "<aws.scheduler.scheduled-time>"}
    job = states(template)["Judge"]["Arguments"]
    assert job["NetworkConfig"] == {"EnableNetworkIsolation": True}
    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": 1800}
    cluster = job["ProcessingResources"]["ClusterConfig"]
    assert (cluster["InstanceType"], cluster["InstanceCount"]) == ("ml.t3.medium", 1)
    assert cluster["VolumeKmsKeyId"] == job["ProcessingOutputConfig"]["KmsKeyId"]
    program = job["AppSpecification"]["ContainerEntrypoint"][1]
    assert re.fullmatch(r"/opt/ml/processing/input/code/[0-9a-f]{64}\.zip", program)
    assert argument(job, "monitor") == made.name
    assert (argument(job, "false-alarm-rate"), argument(job, "minimum-rows")) == ("0.01", "100")


def test_full_takes_rules_schedule_instance_and_network(stack: cdk.Stack, synth: Synth) -> None:
    monitor(
        stack,
        rules=DriftRules(false_alarm_rate=0.05, minimum_rows=500, least_ks=0.2, least_psi=0.25, answer_field="value"),
        schedule=DriftSchedule(every_minutes=60, delay_minutes=5),
        job=MonitoringJob(
            instance_type="ml.m5.xlarge", volume_gb=30, max_minutes=15, network=IsolatedNetwork(stack, "N")
        ),
        alarm_topic=sns.Topic(stack, "Ops"),
    )
    template = synth(stack)
    assert template.only("AWS::Scheduler::Schedule")["ScheduleExpression"] == "rate(60 minutes)"
    found = states(template)
    job = found["Judge"]["Arguments"]
    assert [argument(job, f"least-{name}") for name in ("ks", "psi", "js", "share")] == ["0.2", "0.25", "0.1", "0.01"]
    assert (argument(job, "false-alarm-rate"), argument(job, "answer-field")) == ("0.05", "value")
    assert job["NetworkConfig"]["VpcConfig"] == {"SecurityGroupIds": ["token"], "Subnets": ["token", "token"]}
    assert job["NetworkConfig"]["EnableNetworkIsolation"] is True
    assert "300000" in found["ReadWindow"]["Assign"]["until"]
    assert "3600000" in found["ReadWindow"]["Assign"]["since"]
    assert "ec2:CreateNetworkInterface" in template.actions("MonitorStatistics")


def test_a_window_is_the_files_named_after_its_time(stack: cdk.Stack, synth: Synth) -> None:
    monitor(stack)
    found = states(synth(stack))
    listing = found["ListCaptures"]["Arguments"]
    assert (listing["Bucket"], listing["Prefix"]) == ("traffic", "capture/pumps/primary/")
    assert listing["StartAfter"] == "{% 'capture/pumps/primary/' & $from %}"
    assert found["ListMoreCaptures"]["Arguments"]["ContinuationToken"] == "{% $tokenCaptures %}"
    inputs = {given["InputName"]: given["S3Input"] for given in found["Judge"]["Arguments"]["ProcessingInputs"]}
    assert inputs["captures"]["S3DataType"] == "ManifestFile"
    assert inputs["baseline"]["S3Uri"] == "s3://reports/baselines/current/baseline.json"


def test_every_task_is_caught_and_a_failure_is_told_before_the_execution_fails(stack: cdk.Stack, synth: Synth) -> None:
    monitor(stack)
    machine = definition(synth(stack), "MonitorMachine")
    assert check_machine(machine) == {"ListFailed", "JudgeFailed", "PublishFailed"}
    (entry,) = machine["States"]["Announce"]["Arguments"]["Entries"]
    assert (entry["Source"], entry["DetailType"]) == ("cdk-ml-lens.monitoring", "Monitoring Failed")


def test_drift_raises_an_alarm_that_stands_until_a_window_is_clean(stack: cdk.Stack, synth: Synth) -> None:
    made = monitor(stack, alarm_topic=sns.Topic(stack, "Ops"))
    template = synth(stack)
    alarms = [item["Properties"] for item in template.of_type("AWS::CloudWatch::Alarm").values()]
    (drift,) = [alarm for alarm in alarms if alarm["MetricName"] == "DriftDetected"]
    assert (drift["Namespace"], drift["Statistic"]) == ("CdkMlLens/Drift", "Maximum")
    assert drift["Dimensions"] == [{"Name": "Monitor", "Value": made.name}]
    assert (drift["ComparisonOperator"], drift["Threshold"]) == ("GreaterThanOrEqualToThreshold", 1)
    assert drift["TreatMissingData"] == "ignore"
    failures = [alarm for alarm in alarms if alarm["MetricName"] == "ExecutionsFailed"]
    assert len(failures) == 2  # of the monitor and of its baseline
    assert drift["AlarmActions"]


def test_alarms_of_ones_own_and_metrics_of_a_feature_are_of_this_monitor(stack: cdk.Stack, synth: Synth) -> None:
    made = monitor(stack)
    made.alarm("Quiet", AlarmRule(metric="Rows", threshold=10, comparison="below"))
    metric = made.metric("PSI", feature="speed")
    assert stack.resolve(metric.dimensions) == {"Monitor": made.name, "Feature": "speed"}
    alarms = [item["Properties"] for item in synth(stack).of_type("AWS::CloudWatch::Alarm").values()]
    assert "Rows" in {alarm["MetricName"] for alarm in alarms}


def test_drift_and_failures_are_routed_by_the_name_of_the_monitor(stack: cdk.Stack, synth: Synth) -> None:
    made = monitor(stack)
    queue = sqs.Queue(stack, "Queue")
    made.on_drift("Drift", targets.SqsQueue(queue))
    made.on_failed("Failed", targets.SqsQueue(queue))
    rules = [item["Properties"]["EventPattern"] for item in synth(stack).of_type("AWS::Events::Rule").values()]
    assert {rule["detail-type"][0] for rule in rules} == {"Drift Detected", "Monitoring Failed"}
    assert all(rule["detail"] == {"monitor": [made.name]} for rule in rules)


def test_roles_reach_the_captures_of_this_endpoint_and_the_reports_of_this_monitor(
    stack: cdk.Stack, synth: Synth
) -> None:
    made = monitor(stack)
    template = synth(stack)
    job = template.statements("MonitorStatistics")
    read = [str(item["Resource"]) for item in job if "s3:GetObject" in item["Action"]]
    assert any("traffic/capture/pumps/primary/*" in place for place in read)
    assert any("reports/baselines/current/baseline.json" in place for place in read)
    (written,) = [str(item["Resource"]) for item in job if "s3:PutObject" in item["Action"]]
    assert f"reports/reports/{made.name}/*" in written
    machine = template.statements("MonitorMachine")
    (published,) = [item for item in machine if item["Action"] == "cloudwatch:PutMetricData"]
    assert published["Condition"] == {"StringEquals": {"cloudwatch:namespace": "CdkMlLens/Drift"}}
    assert not [action for action in template.actions("MonitorMachine") if action.startswith("lambda:")]


def test_role_policies_exist_before_the_machine_and_the_schedule(stack: cdk.Stack, synth: Synth) -> None:
    monitor(stack)
    template = synth(stack)
    (machine,) = [id for id in template.of_type("AWS::StepFunctions::StateMachine") if "Monitor" in id]
    policies = [id for id in template.of_type("AWS::IAM::Policy") if id.startswith("Monitor")]
    assert {id for id in policies if "ScheduleRole" not in id} <= template.depends_on(machine)
    (schedule,) = template.of_type("AWS::Scheduler::Schedule")
    assert {id for id in policies if "ScheduleRole" in id} <= template.depends_on(schedule)


def deployment(stack: cdk.Stack, **shape: Any) -> ApprovedDeployment:
    request = SyntheticRequest(body={"features": [1, 2]}, expect=AnswerCheck(path="score", minimum=0))
    return ApprovedDeployment(
        stack, "Deployment", registry=registry(stack), verification=request, shape=EndpointShape(**shape)
    )


def test_captures_of_a_deployment_are_found_by_the_object(stack: cdk.Stack) -> None:
    found = CaptureSource.of(deployment(stack, variant_name="only"))
    assert stack.resolve(found.folder).endswith("/only/")
    assert found.prefix == "capture"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DriftRules(false_alarm_rate=0), "false_alarm_rate must be above 0 and at most 0.2"),
        (lambda: DriftRules(minimum_rows=5), "minimum_rows must be at least 20"),
        (lambda: DriftRules(least_ks=1.5, least_psi=-1), "least_ks must be between 0 and 1"),
        (lambda: DriftSchedule(every_minutes=0), "every_minutes must be between 1 and 10080"),
        (lambda: DriftSchedule(delay_minutes=-1), "delay_minutes must be between 0 and 129600"),
        (lambda: MonitoringJob(instance_type="m5.large"), "instance_type must begin with ml."),
        (lambda: MonitoringJob(max_minutes=0), "max_minutes must be between 1 and 12960"),
    ],
)
def test_fails_on_values_that_could_not_work(make: Callable[[], object], message: str) -> None:
    with pytest.raises(PropError, match=re.escape(message)):
        make()


def test_fails_on_captures_without_a_place(stack: cdk.Stack) -> None:
    with pytest.raises(PropError, match="prefix must be a path without slashes"):
        CaptureSource(bucket=bucket(stack, "Traffic"), endpoint_name="pumps", variant_name="only", prefix="/capture")
    with pytest.raises(PropError, match="endpoint must capture its traffic"):
        CaptureSource.of(deployment(stack, capture=None))


def test_nag_is_clean(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    made = monitor(stack, job=MonitoringJob(network=IsolatedNetwork(stack, "Network")))
    made.grant_read(cdk.aws_iam.Role(stack, "Reader", assumed_by=cdk.aws_iam.AccountRootPrincipal()))
    assert nag(stack) == []
