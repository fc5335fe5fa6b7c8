"""Rules on drift: captures are read, drift is heard of and starts a retraining."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.review.machines import machine
from tests.unit.review.reports import findings

TOPIC = {"Ref": "Topic"}
ALARM_EVENT = {"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"]}
TRAIN = machine("sagemaker:createTrainingJob.sync", {})


def capture(**config: Any) -> dict[str, Any]:
    settings = {"EnableCapture": True, "DestinationS3Uri": {"Fn::Sub": "s3://${B}/capture"}} | config
    return {
        "B": ("AWS::S3::Bucket", {}),
        "C": ("AWS::SageMaker::EndpointConfig", {"DataCaptureConfig": settings}),
        "E": ("AWS::SageMaker::Endpoint", {"EndpointConfigName": {"Fn::GetAtt": ["C", "EndpointConfigName"]}}),
    }


def test_a_capture_is_read_by_a_job_or_a_monitor() -> None:
    reads = machine("sagemaker:createProcessingJob.sync", {})
    reads["S"][1]["DefinitionString"] = {"Fn::Sub": "s3://${B}/capture"}
    monitored = {"DataQualityJobInput": {"EndpointInput": {"EndpointName": {"Fn::GetAtt": ["E", "EndpointName"]}}}}
    assert findings("MO1", capture()) == ["C"]
    assert findings("MO1", capture() | reads) == []
    assert findings("MO1", capture() | {"D": ("AWS::SageMaker::DataQualityJobDefinition", monitored)}) == []


def test_a_machine_that_cannot_be_read_may_read_the_capture() -> None:
    elsewhere = {"DefinitionS3Location": {"Bucket": "b", "Key": "k"}}
    assert findings("MO1", capture() | {"S": ("AWS::StepFunctions::StateMachine", elsewhere)}) == []


@pytest.mark.parametrize("config", [{"EnableCapture": False}, {"DestinationS3Uri": {"Ref": "Parameter"}}])
def test_no_capture_and_a_bucket_of_elsewhere_are_left_alone(config: Any) -> None:
    assert findings("MO1", capture(**config)) == []


def alarm(**properties: Any) -> dict[str, Any]:
    return {"A": ("AWS::CloudWatch::Alarm", {"MetricName": "DriftDetected", "AlarmName": "drift"} | properties)}


def event(target: Any, **pattern: Any) -> dict[str, Any]:
    body = {"EventPattern": ALARM_EVENT | pattern, "Targets": [{"Id": "T", "Arn": target}]}
    return {"R": ("AWS::Events::Rule", body)}


def subscription(protocol: str, endpoint: Any) -> dict[str, Any]:
    body = {"TopicArn": TOPIC, "Protocol": protocol, "Endpoint": endpoint}
    return {"Topic": ("AWS::SNS::Topic", {}), "Sub": ("AWS::SNS::Subscription", body)}


MACHINE = {"Ref": "S"}
FUNCTION: dict[str, Any] = {"F": ("AWS::Lambda::Function", {})}


@pytest.mark.parametrize(
    ("resources", "unheard", "unanswered"),
    [
        (alarm(), ["A"], []),
        (alarm(AlarmActions=[TOPIC]) | subscription("email", "team@example.com"), [], ["A"]),
        (alarm(AlarmActions=[TOPIC]) | subscription("lambda", {"Fn::GetAtt": ["F", "Arn"]}) | FUNCTION, [], []),
        (alarm(AlarmActions=[{"Fn::GetAtt": ["F", "Arn"]}]) | FUNCTION, [], []),
        (alarm(AlarmActions=["arn:of:another:topic"]) | subscription("lambda", {"Ref": "F"}) | FUNCTION, [], ["A"]),
        (alarm() | event(MACHINE, resources=[{"Fn::GetAtt": ["A", "Arn"]}]) | TRAIN, [], []),
        (alarm() | event(MACHINE, detail={"alarmName": ["drift"]}) | TRAIN, [], []),
        (alarm() | event(MACHINE) | TRAIN, [], []),
        (alarm() | event(MACHINE, resources=["other"]) | TRAIN, ["A"], []),
        (alarm() | event({"Fn::ImportValue": "Machine"}), [], []),
        (alarm(MetricName="Errors"), [], []),
    ],
)
def test_drift_is_heard_of_and_starts_something(resources: Any, unheard: list[str], unanswered: list[str]) -> None:
    assert (findings("MO2", resources), findings("MO3", resources)) == (unheard, unanswered)


def test_a_metric_inside_an_expression_counts() -> None:
    stat = {"MetricStat": {"Metric": {"MetricName": "feature_baseline_drift_x"}}}
    assert findings("MO2", {"A": ("AWS::CloudWatch::Alarm", {"Metrics": [stat]})}) == ["A"]


def test_a_monitoring_schedule_is_a_sign_of_drift() -> None:
    schedule: dict[str, Any] = {"A": ("AWS::SageMaker::MonitoringSchedule", {})}
    pattern = {"detail": {"MonitoringScheduleArn": [{"Fn::GetAtt": ["A", "MonitoringScheduleArn"]}]}}
    assert findings("MO2", schedule) == ["A"]
    assert findings("MO3", schedule | event(MACHINE, **pattern) | TRAIN) == []


def test_a_rule_of_another_stack_counts() -> None:
    assert findings("MO2", alarm(), event(MACHINE, detail={"alarmName": ["drift"]})) == []


def scheduled(cfn_type: str, **target: Any) -> dict[str, Any]:
    return {"W": (cfn_type, {"ScheduleExpression": "rate(7 days)"} | target)}


@pytest.mark.parametrize(
    "calendar",
    [
        scheduled("AWS::Scheduler::Schedule", Target={"Arn": MACHINE}),
        scheduled("AWS::Events::Rule", Targets=[{"Id": "T", "Arn": MACHINE}]),
    ],
)
def test_the_calendar_alone_does_not_start_a_training(calendar: Any) -> None:
    assert findings("MO4", calendar | TRAIN) == ["W"]
    assert findings("MO4", calendar | TRAIN | event(MACHINE)) == []
    assert findings("MO4", calendar | machine("glue:startJobRun.sync", {})) == []
