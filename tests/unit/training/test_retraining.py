"""Retraining: what it subscribes to, what its handler gets and may do, what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk_ml_lens import AlarmRule, PipelineTrigger, PropError, Retraining, RetrainingCause, RetrainingPolicy
from cdk_ml_lens.core.machine import DefinedMachine
from cdk_ml_lens.training import retraining
from cdk_ml_lens.training.dataset_source import DatasetSource
from ml_lens_runtime import retrain_flow, retrain_metrics, retrain_outbox, retrain_store
from ml_lens_runtime.retrain_events import parse
from ml_lens_runtime.retrain_setup import Setup
from ml_lens_runtime.retrain_state import Cause
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]


class FakePipeline(Construct):
    """A pipeline whose machine does nothing."""

    def __init__(self, scope: Construct, id: str, key: kms.IKey) -> None:
        super().__init__(scope, id)
        done = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
        self.machine = DefinedMachine(self, "Machine", definition=done, encryption_key=key)


def make(stack: cdk.Stack, causes: list[RetrainingCause] | None = None, **props: Any) -> Retraining:
    key = kms.Key(stack, "DataKey")
    given: dict[str, Any] = {
        "pipeline": FakePipeline(stack, "Training", key),
        "datasets": DatasetSource(bucket=s3.Bucket.from_bucket_name(stack, "Lake", "lake"), encryption_key=key),
        "causes": [RetrainingCause.new_data()] if causes is None else causes,
    }
    return Retraining(stack, "Retraining", **given | props)


def full(stack: cdk.Stack) -> Retraining:
    key = kms.Key(stack, "Mine")
    alarm = cloudwatch.Alarm.from_alarm_arn(stack, "Drift", "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:drift")
    return make(
        stack,
        causes=[
            RetrainingCause.new_data(),
            RetrainingCause.drift(alarm),
            RetrainingCause.every(hours=24),
            RetrainingCause.cron("0 3 ? * MON *", time_zone="Europe/Berlin"),
        ],
        policy=RetrainingPolicy(cool_down_minutes=30, minimum_new_rows=5, look_minutes=1),
        preparation=FakePipeline(stack, "Preparation", key),
        encryption_key=key,
        alarm_topic=sns.Topic(stack, "Ops"),
    )


def variables(template: Template) -> dict[str, str]:
    found = template.only("AWS::Lambda::Function")["Environment"]["Variables"]
    return {name: value if isinstance(value, str) else "token" for name, value in found.items()}


def patterns(template: Template, source: str) -> list[dict[str, Any]]:
    rules = [rule["Properties"]["EventPattern"] for rule in template.of_type("AWS::Events::Rule").values()]
    return [pattern for pattern in rules if pattern["source"] == [source]]


def test_minimal_handler_understands_what_the_construct_sets(stack: cdk.Stack, synth: Synth) -> None:
    made = make(stack)
    setup = Setup.parse(variables(synth(stack)))
    assert (setup.name, setup.bucket, setup.prefix) == (made.name, "lake", "datasets/")
    assert (setup.cool_down_seconds, setup.minimum_new_rows, setup.preparation_arn) == (21_600, 1000, "")


def test_full_policy_and_preparation_reach_the_handler(stack: cdk.Stack, synth: Synth) -> None:
    full(stack)
    setup = Setup.parse(variables(synth(stack)))
    assert (setup.cool_down_seconds, setup.minimum_new_rows, setup.preparation_arn) == (1800, 5, "token")


def test_names_are_those_of_the_handler() -> None:
    assert retraining.SOURCE == retrain_outbox.SOURCE
    assert retraining.NAMESPACE == retrain_metrics.NAMESPACE
    RetrainingPolicy(cool_down_minutes=retrain_store.CAUSE_DAYS * 24 * 60)
    with pytest.raises(PropError):
        RetrainingPolicy(cool_down_minutes=retrain_store.CAUSE_DAYS * 24 * 60 + 1)


def test_new_data_is_a_manifest_of_a_version_in_the_bucket(stack: cdk.Stack, synth: Synth) -> None:
    make(stack)
    (pattern,) = patterns(synth(stack), "aws.s3")
    assert pattern["detail-type"] == ["Object Created"]
    key = [{"wildcard": "datasets/*/dataset.json"}]
    assert pattern["detail"] == {"bucket": {"name": ["lake"]}, "object": {"key": key}}


def test_new_data_through_cloudtrail_is_a_call_that_succeeded(stack: cdk.Stack, synth: Synth) -> None:
    make(stack, causes=[RetrainingCause.new_data(way="cloudtrail")])
    (pattern,) = patterns(synth(stack), "aws.s3")
    assert pattern["detail-type"] == ["AWS API Call via CloudTrail"]
    asked = {"bucketName": ["lake"], "key": [{"wildcard": "datasets/*/dataset.json"}]}
    assert pattern["detail"]["requestParameters"] == asked
    assert pattern["detail"]["errorCode"] == [{"exists": False}]
    assert "CompleteMultipartUpload" in pattern["detail"]["eventName"]


def test_drift_is_the_one_alarm_going_off(stack: cdk.Stack, synth: Synth) -> None:
    full(stack)
    (pattern,) = patterns(synth(stack), "aws.cloudwatch")
    assert pattern["resources"] == ["arn:aws:cloudwatch:eu-west-1:111122223333:alarm:drift"]
    assert pattern["detail"] == {"state": {"value": ["ALARM"]}}


def test_it_hears_of_the_end_of_both_machines(stack: cdk.Stack, synth: Synth) -> None:
    full(stack)
    (pattern,) = patterns(synth(stack), "aws.states")
    assert len(pattern["detail"]["stateMachineArn"]) == 2
    assert set(pattern["detail"]["status"]) == set(retrain_flow.ENDS)


def test_schedules_name_their_time_and_a_look_is_none_of_them(stack: cdk.Stack, synth: Synth) -> None:
    full(stack)
    made = [item["Properties"] for item in synth(stack).of_type("AWS::Scheduler::Schedule").values()]
    given = {item["ScheduleExpression"]: json.loads(item["Target"]["Input"]) for item in made}
    assert set(given) == {"rate(1440 minutes)", "cron(0 3 ? * MON *)", "rate(1 minute)"}
    assert given["rate(1 minute)"] == {"look": True}
    cron, rate = (parse(given[name], now=0) for name in ("cron(0 3 ? * MON *)", "rate(1440 minutes)"))
    assert isinstance(cron, Cause)
    assert isinstance(rate, Cause)
    assert (cron.kind, cron.id != rate.id) == ("schedule", True)
    assert "<aws.scheduler.scheduled-time>" in cron.id
    (zoned,) = [item for item in made if item["ScheduleExpression"].startswith("cron")]
    assert zoned["ScheduleExpressionTimezone"] == "Europe/Berlin"


ALWAYS = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords"}


def test_the_handler_may_do_what_it_calls_and_no_more(stack: cdk.Stack, synth: Synth) -> None:
    full(stack)
    template = synth(stack)
    assert template.actions("RetrainingHandler") == ALWAYS | {
        "cloudwatch:DescribeAlarms", "dynamodb:GetItem", "dynamodb:PutItem", "events:PutEvents", "kms:Decrypt",
        "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "s3:GetObject", "s3:ListBucket", "sqs:SendMessage",
        "states:DescribeExecution", "states:StartExecution",
    }  # fmt: skip
    assert template.actions("ScheduleRole") == {"lambda:InvokeFunction"}


def test_the_handler_reads_manifests_and_not_the_data(stack: cdk.Stack, synth: Synth) -> None:
    make(stack)
    (statement,) = [one for one in synth(stack).statements("RetrainingHandler") if one["Action"] == "s3:GetObject"]
    endings = sorted(json.dumps(resource).split("lake", 1)[1] for resource in statement["Resource"])
    assert endings == ['/datasets/*/dataset.json"]]}', '/datasets/current.json"]]}']


def test_without_drift_the_handler_may_not_ask_for_alarms(stack: cdk.Stack, synth: Synth) -> None:
    make(stack)
    assert "cloudwatch:DescribeAlarms" not in synth(stack).actions("RetrainingHandler")


def test_what_cannot_be_handled_goes_to_an_encrypted_queue_with_an_alarm(stack: cdk.Stack, synth: Synth) -> None:
    full(stack)
    template = synth(stack)
    config = template.only("AWS::Lambda::EventInvokeConfig")
    assert config["MaximumRetryAttempts"] == 2
    assert "OnFailure" in config["DestinationConfig"]
    assert template.only("AWS::SQS::Queue")["KmsMasterKeyId"]
    alarms = [item["Properties"] for item in template.of_type("AWS::CloudWatch::Alarm").values()]
    assert sorted(alarm["MetricName"] for alarm in alarms) == ["ApproximateNumberOfMessagesVisible", "Errors"]
    assert all(alarm["AlarmActions"] for alarm in alarms)


def test_records_are_encrypted_and_expire(stack: cdk.Stack, synth: Synth) -> None:
    make(stack)
    table = synth(stack).only("AWS::DynamoDB::Table")
    assert table["SSESpecification"]["SSEType"] == "KMS"
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_a_person_may_be_let_ask_and_targets_are_told(stack: cdk.Stack, synth: Synth) -> None:
    made = make(stack)
    caller = iam.Role(stack, "Caller", assumed_by=iam.AccountRootPrincipal())
    made.grant_request(caller)
    made.store.grant_read(caller)
    queue = sqs.Queue(stack, "Inbox")
    for id, on in (("S", made.on_started), ("K", made.on_skipped), ("E", made.on_ended)):
        on(id, targets.SqsQueue(queue))
    made.alarm("WaitingAlarm", AlarmRule(metric="CausesWaiting", threshold=0, statistic="Minimum", periods=96))
    template = synth(stack)
    allowed = {"lambda:InvokeFunction", "dynamodb:GetItem", "kms:Decrypt", "kms:DescribeKey"}
    assert template.actions("Caller") == allowed
    told = patterns(template, retraining.SOURCE)
    assert [pattern["detail"] for pattern in told] == [{"retraining": [made.name]}] * 3
    assert {pattern["detail-type"][0] for pattern in told} == {
        "Retraining Started",
        "Retraining Skipped",
        "Retraining Ended",
    }


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: RetrainingPolicy(cool_down_minutes=-1), "cool_down_minutes must be between 0 and 43200"),
    (lambda: RetrainingPolicy(minimum_new_rows=-1), "minimum_new_rows must be at least 0"),
    (lambda: RetrainingPolicy(look_minutes=0), "look_minutes must be between 1 and 1440"),
    (lambda: RetrainingCause.every(hours=0), "hours must be at least 1"),
    (lambda: RetrainingCause.cron("0 3 * *"), "fields must be six cron fields"),
    (lambda: RetrainingCause(kind="schedule"), "trigger must be a schedule"),
    (lambda: RetrainingCause(kind="schedule", trigger=PipelineTrigger.arrival()), "trigger must be a schedule"),
    (lambda: RetrainingCause(kind="drift"), "alarm must be given for drift"),
    (lambda: RetrainingCause.new_data(way="mail"), "way must be eventbridge or cloudtrail"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("made", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_fails_on_values_that_make_no_sense(made: Callable[[], Any], message: str) -> None:
    with pytest.raises(PropError, match=message):
        made()


@pytest.mark.parametrize("causes", [
    [RetrainingCause.every(hours=1), RetrainingCause.every(hours=1)],
    [RetrainingCause.new_data(), RetrainingCause.new_data(way="cloudtrail")],
])  # fmt: skip
def test_fails_on_causes_that_would_count_twice(causes: list[RetrainingCause], stack: cdk.Stack) -> None:
    with pytest.raises(PropError, match="causes must have"):
        make(stack, causes=causes)


@pytest.mark.parametrize("made", [make, full])
def test_nag_is_clean(
    made: Callable[[cdk.Stack], Retraining], stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]
) -> None:
    made(stack)
    assert [finding for finding in nag(stack) if "/Retraining/" in finding] == []
