"""AlarmRule: CloudWatch's ranges at synth, and alarms wired in both directions."""

from __future__ import annotations

from collections.abc import Callable

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns

from cdk_ml_lens import AlarmRule, PropError
from cdk_ml_lens.core.alarms import add_alarm
from tests.unit.templates import Template


def test_alarm_notifies_of_trouble_and_of_its_end(stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]) -> None:
    topic = sns.Topic(stack, "Topic")
    metric = cloudwatch.Metric(namespace="N", metric_name="M")
    rule = AlarmRule(metric="M", threshold=0, statistic="p99", period_minutes=1, periods=3, datapoints=2)
    add_alarm(stack, "Alarm", metric=metric, rule=rule, topic=topic)
    alarm = synth(stack).only("AWS::CloudWatch::Alarm")
    assert alarm["AlarmActions"] == alarm["OKActions"] != []
    assert (alarm["Threshold"], alarm["Period"], alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (
        0,
        60,
        3,
        2,
    )
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    assert alarm["ExtendedStatistic"] == "p99"
    assert alarm["TreatMissingData"] == "notBreaching"


def test_alarm_without_topic_tells_nobody(stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]) -> None:
    metric = cloudwatch.Metric(namespace="N", metric_name="M")
    add_alarm(stack, "Alarm", metric=metric, rule=AlarmRule(metric="M", threshold=5, comparison="below"), topic=None)
    alarm = synth(stack).only("AWS::CloudWatch::Alarm")
    assert "AlarmActions" not in alarm
    assert alarm["ComparisonOperator"] == "LessThanThreshold"


@pytest.mark.parametrize(
    ("wrong", "prop"),
    [
        ({"period_minutes": 0}, "period_minutes"),
        ({"periods": 0}, "periods"),
        ({"periods": 2, "datapoints": 3}, "datapoints"),
        ({"comparison": "over"}, "comparison"),
        ({"missing": "bad"}, "missing"),
    ],
)
def test_fails_out_of_range(wrong: dict[str, object], prop: str) -> None:
    with pytest.raises(PropError, match=rf"{prop} must .* for alarm on 'M', got"):
        AlarmRule(metric="M", threshold=1, **wrong)  # type: ignore[arg-type]
