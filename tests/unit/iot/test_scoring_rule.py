"""ScoringRule: three ways in, an error action always, alarms wired, and least privilege on each way."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn

from cdk_ml_lens import (
    CommandDevice,
    DeviceFleet,
    Feature,
    Ingestion,
    Invoke,
    ModelEndpoint,
    NotifyTopic,
    PredictionLog,
    PropError,
    ReadingAction,
    RuleSql,
    Scoring,
    ScoringRule,
)
from tests.unit.templates import Template

SQL = RuleSql(topic_filter="devices/+/telemetry")


def make(
    stack: cdk.Stack,
    *,
    ingestion: Ingestion | None = None,
    actions: Sequence[ReadingAction] = (),
    log: PredictionLog | None = None,
    alarm_topic: sns.ITopic | None = None,
) -> ScoringRule:
    endpoint = ModelEndpoint.from_endpoint_name(stack, "model")
    return ScoringRule(
        stack,
        "Rule",
        sql=SQL,
        scoring=Scoring(endpoint=endpoint, features=[Feature(name="temperature")]),
        ingestion=ingestion,
        actions=actions,
        log=log,
        alarm_topic=alarm_topic,
    )


def payload(template: Template) -> dict[str, object]:
    found: dict[str, object] = template.only("AWS::IoT::TopicRule")["TopicRulePayload"]
    return found


WAYS = {"queued": Ingestion.queued(), "streamed": Ingestion.streamed(), "direct": Ingestion.direct()}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_has_an_error_action_and_a_role_before_the_rule(
    way: str, stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]
) -> None:
    make(stack, ingestion=WAYS[way])
    template = synth(stack)
    rule = payload(template)
    assert rule["AwsIotSqlVersion"] == "2016-03-23"
    assert "Sqs" in rule["ErrorAction"]  # type: ignore[operator]
    ((rule_id, _),) = template.of_type("AWS::IoT::TopicRule").items()
    assert any("RuleRole" in id for id in template.depends_on(rule_id) if "Policy" in id)


def test_queued_batches_reports_partial_failures_and_redrives_late(
    stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]
) -> None:
    make(stack, ingestion=Ingestion.queued(batch=50, window_seconds=2, attempts=3, max_concurrency=4))
    template = synth(stack)
    mapping = template.only("AWS::Lambda::EventSourceMapping")
    assert (mapping["BatchSize"], mapping["MaximumBatchingWindowInSeconds"]) == (50, 2)
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 4}
    (queue,) = [
        q["Properties"] for q in template.of_type("AWS::SQS::Queue").values() if "RedrivePolicy" in q["Properties"]
    ]
    function = template.only("AWS::Lambda::Function")
    variables = function["Environment"]["Variables"]
    assert variables["MAX_ATTEMPTS"] == "3"
    assert queue["RedrivePolicy"]["maxReceiveCount"] > 3  # the scorer dead-letters first, with the cause
    assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]
    assert "SOURCE_QUEUE_URL" in variables


def test_streamed_keeps_order_by_device_and_can_replay(
    stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]
) -> None:
    make(stack, ingestion=Ingestion.streamed(retention_hours=48, attempts=4))
    template = synth(stack)
    (action,) = payload(template)["Actions"]  # type: ignore[misc]
    assert action["Kinesis"]["PartitionKey"] == "${topic(2)}"
    assert template.only("AWS::Kinesis::Stream")["RetentionPeriodHours"] == 48
    mapping = template.only("AWS::Lambda::EventSourceMapping")
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["MaximumRetryAttempts"] > 4  # the scorer dead-letters first, with the cause
    assert "OnFailure" in mapping["DestinationConfig"]
    assert "kinesis:PutRecord" in template.actions("RuleRole")


def test_direct_is_bounded_with_a_failure_destination(stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]) -> None:
    make(stack, ingestion=Ingestion.direct(reserved_concurrency=7, retries=1))
    template = synth(stack)
    function = template.only("AWS::Lambda::Function")
    assert function["ReservedConcurrentExecutions"] == 7
    assert function["Environment"]["Variables"]["MAX_ATTEMPTS"] == "2"
    permission = template.only("AWS::Lambda::Permission")
    assert permission["Principal"] == "iot.amazonaws.com"
    assert "Rule" in permission["SourceArn"]["Fn::GetAtt"][0]
    retries = template.only("AWS::Lambda::EventInvokeConfig")
    assert retries["MaximumRetryAttempts"] == 1
    assert "OnFailure" in retries["DestinationConfig"]
    assert template.of_type("AWS::Lambda::EventSourceMapping") == {}


@pytest.mark.parametrize("way", WAYS)
def test_alarms_are_wired(way: str, stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]) -> None:
    make(stack, ingestion=WAYS[way], alarm_topic=sns.Topic(stack, "Ops"))
    alarms = [res["Properties"] for res in synth(stack).of_type("AWS::CloudWatch::Alarm").values()]
    assert {"RuleMessageThrottled", "ParseError", "Failure", "ApproximateNumberOfMessagesVisible"} <= {
        alarm["MetricName"] for alarm in alarms
    }
    age = {"queued": "ApproximateAgeOfOldestMessage", "streamed": "IteratorAge", "direct": "AsyncEventAge"}[way]
    (backlog,) = [alarm for alarm in alarms if alarm["MetricName"] == age]
    assert backlog["Threshold"] == (300 if way == "queued" else 300_000)  # seconds, or milliseconds
    assert all(alarm["AlarmActions"] for alarm in alarms)


def test_actions_are_rendered_with_their_grants(stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]) -> None:
    fleet = DeviceFleet(stack, "Fleet")
    machine = sfn.StateMachine.from_state_machine_arn(
        stack, "Machine", "arn:aws:states:eu-west-1:111122223333:stateMachine:m"
    )
    function = lambda_.Function.from_function_arn(stack, "Fn", "arn:aws:lambda:eu-west-1:111122223333:function:f")
    actions = [
        NotifyTopic(stack, "One"),
        NotifyTopic(stack, "Two"),
        CommandDevice(fleet=fleet),
        Invoke.state_machine(machine),
        Invoke.lambda_function(function),
    ]
    make(stack, actions=actions, log=PredictionLog(stack, "Log"))
    template = synth(stack)
    rendered = template.only("AWS::Lambda::Function")["Environment"]["Variables"]["ACTIONS"]
    text = "".join(part if isinstance(part, str) else "token" for part in rendered["Fn::Join"][1])
    descriptors = json.loads(text)
    assert [d["type"] for d in descriptors] == ["notify", "notify", "command", "state_machine", "function"]
    assert [d["name"] for d in descriptors] == ["notify", "notify-2", "command", "start", "invoke"]
    assert descriptors[2]["topic"] == "devices/{device_id}/commands"
    wanted = {"sns:Publish", "iot:Publish", "states:StartExecution", "lambda:InvokeFunction", "firehose:PutRecordBatch"}
    assert wanted <= template.actions("Scorer")


def test_scorer_can_do_nothing_it_was_not_asked_for(stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]) -> None:
    make(stack)
    allowed = synth(stack).actions("Scorer")
    assert not allowed & {"sns:Publish", "iot:Publish", "firehose:PutRecordBatch", "states:StartExecution"}
    assert "sagemaker:InvokeEndpoint" in allowed
    assert not any("*" in action for action in allowed)


def test_only_xray_uses_a_star_resource(stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]) -> None:
    make(stack)
    starred = [s["Action"] for s in synth(stack).statements() if s["Resource"] == "*"]
    assert starred == [["xray:PutTraceSegments", "xray:PutTelemetryRecords"]]


def test_fails_on_an_ingestion_of_unknown_make(stack: cdk.Stack) -> None:
    with pytest.raises(PropError, match="ingestion must be made by Ingestion.queued, streamed or direct"):
        make(stack, ingestion=Ingestion())


def test_fails_on_a_bad_email(stack: cdk.Stack) -> None:
    with pytest.raises(PropError, match="emails must be e-mail addresses for notify topic, got 'ops'"):
        NotifyTopic(stack, "T", emails=["ops"])


@pytest.mark.parametrize("way", WAYS)
def test_nag_is_clean(way: str, stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    fleet = DeviceFleet(stack, "Fleet")
    actions = [NotifyTopic(stack, "Alerts", emails=["ops@example.com"]), CommandDevice(fleet=fleet)]
    make(stack, ingestion=WAYS[way], actions=actions, log=PredictionLog(stack, "Log"))
    assert nag(stack) == []
