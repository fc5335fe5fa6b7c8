"""Events that start a loop: an alarm that changes state, a schedule with its context."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Collected
from tests.local.job_support import ROLE, events

pytestmark = pytest.mark.laptop_cloud


def alarm(cloud: LaptopCloud, name: str) -> None:
    cloud.client("cloudwatch").put_metric_alarm(
        AlarmName=name, AlarmDescription="it drifts", Namespace="Drift", MetricName="DriftDetected", Threshold=0.5,
        Dimensions=[{"Name": "Monitor", "Value": name}], Statistic="Maximum", Period=60, EvaluationPeriods=1,
        ComparisonOperator="GreaterThanThreshold", TreatMissingData="ignore",
    )  # fmt: skip


def test_an_alarm_that_goes_off_is_an_event(laptop_cloud: LaptopCloud, collected: Collected) -> None:
    pattern = {"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"]}
    detail = {"alarmName": ["drift"], "state": {"value": ["ALARM"]}}
    queue = events(laptop_cloud, "alarm-told", {**pattern, "detail": detail})
    alarm(laptop_cloud, "drift")
    data = {"MetricName": "DriftDetected", "Dimensions": [{"Name": "Monitor", "Value": "drift"}], "Value": 1}
    laptop_cloud.client("cloudwatch").put_metric_data(Namespace="Drift", MetricData=[data])
    (body,) = collected(queue, 1)
    told: dict[str, Any] = json.loads(body)
    assert told["resources"] == ["arn:aws:cloudwatch:us-east-1:000000000000:alarm:drift"]
    assert told["detail"]["previousState"]["value"] == "INSUFFICIENT_DATA"
    (metric,) = told["detail"]["configuration"]["metrics"]
    assert metric["metricStat"]["metric"]["dimensions"] == {"Monitor": "drift"}
    assert told["detail"]["configuration"]["description"] == "it drifts"


def test_setting_an_alarm_by_hand_is_an_event_only_when_its_state_changes(
    laptop_cloud: LaptopCloud, collected: Collected
) -> None:
    queue = events(laptop_cloud, "hand-told", {"source": ["aws.cloudwatch"], "detail": {"alarmName": ["hand"]}})
    alarm(laptop_cloud, "hand")
    for value in ("ALARM", "ALARM", "OK"):
        laptop_cloud.client("cloudwatch").set_alarm_state(AlarmName="hand", StateValue=value, StateReason="test")
    told = [json.loads(body)["detail"] for body in collected(queue, 2)]
    assert sorted(detail["state"]["value"] for detail in told) == ["ALARM", "OK"]


def test_an_alarm_on_an_expression_is_set_by_hand_only_and_its_event_names_no_metric(
    laptop_cloud: LaptopCloud, collected: Collected
) -> None:
    queue = events(laptop_cloud, "sum-told", {"source": ["aws.cloudwatch"], "detail": {"alarmName": ["sum"]}})
    metric = {"Metric": {"Namespace": "Drift", "MetricName": "Sum"}, "Period": 60, "Stat": "Sum"}
    cloudwatch = laptop_cloud.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="sum", Threshold=0.5, EvaluationPeriods=1, ComparisonOperator="GreaterThanThreshold",
        Metrics=[{"Id": "m", "MetricStat": metric, "ReturnData": False}, {"Id": "e", "Expression": "m * 2"}],
    )  # fmt: skip
    cloudwatch.put_metric_data(Namespace="Drift", MetricData=[{"MetricName": "Sum", "Value": 9}])
    time.sleep(0.6)  # it looks at every alarm twice
    (shown,) = cloudwatch.describe_alarms(AlarmNames=["sum"])["MetricAlarms"]
    assert shown["StateValue"] == "INSUFFICIENT_DATA"
    cloudwatch.set_alarm_state(AlarmName="sum", StateValue="ALARM", StateReason="test")
    (body,) = collected(queue, 1)
    detail = json.loads(body)["detail"]
    assert (detail["state"]["value"], detail["configuration"]) == ("ALARM", {})


def test_a_schedule_tells_its_target_when_and_which_execution(laptop_cloud: LaptopCloud, collected: Collected) -> None:
    sqs = laptop_cloud.client("sqs")
    queue = sqs.create_queue(QueueName="scheduled")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    given = {"at": "<aws.scheduler.scheduled-time>", "id": "<aws.scheduler.execution-id>", "kept": "<b>"}
    laptop_cloud.client("scheduler").create_schedule(
        Name="once", ScheduleExpression="at(2026-01-01T00:00:00)", FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": arn, "RoleArn": ROLE, "Input": json.dumps(given)},
    )  # fmt: skip
    (body,) = collected(queue, 1)  # MiniStack looks every ten seconds
    told = json.loads(body)
    assert (told["at"][-1], told["kept"]) == ("Z", "<b>")
    assert len(told["id"]) == 36
