"""Alarms on the laptop cloud: per dimension, per data point, with missing data as the alarm says."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cdk_ml_lens.local import LaptopCloud, ModelRuntime
from tests.local.conftest import FAKE_SERVER, Until

pytestmark = pytest.mark.laptop_cloud


@pytest.fixture(scope="module")
def laptop_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaptopCloud]:
    """A cloud in which a minute of AWS lasts a second."""
    models = ModelRuntime(python=Path(sys.executable), server=FAKE_SERVER)
    with LaptopCloud.start(state_dir=tmp_path_factory.mktemp("alarms"), models=models, time_scale=60) as cloud:
        yield cloud


def put(cloud: LaptopCloud, name: str, variant: str, **more: Any) -> None:
    rule: dict[str, Any] = {
        "Namespace": "Test",
        "MetricName": "Errors",
        "Dimensions": [{"Name": "Variant", "Value": variant}],
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 0.5,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    }
    given = {key: value for key, value in {**rule, **more}.items() if value is not None}
    cloud.client("cloudwatch").put_metric_alarm(AlarmName=name, **given)


def publish(cloud: LaptopCloud, variant: str, *values: float) -> None:
    dimensions = [{"Name": "Variant", "Value": variant}]
    data = [{"MetricName": "Errors", "Dimensions": dimensions, "Value": value} for value in values]
    cloud.client("cloudwatch").put_metric_data(Namespace="Test", MetricData=data)


def state(cloud: LaptopCloud, name: str) -> str:
    (alarm,) = cloud.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return str(alarm["StateValue"])


def test_only_the_alarm_of_its_own_dimension_goes_off_and_ends_by_itself(
    laptop_cloud: LaptopCloud, until: Until
) -> None:
    put(laptop_cloud, "blue", "blue")
    put(laptop_cloud, "green", "green")
    publish(laptop_cloud, "blue", 1, 1, 0)
    assert until(lambda: state(laptop_cloud, "blue") == "ALARM")
    assert state(laptop_cloud, "green") == "OK"
    assert until(lambda: state(laptop_cloud, "blue") == "OK")


def test_percentile_looks_at_the_worst_answers(laptop_cloud: LaptopCloud, until: Until) -> None:
    put(laptop_cloud, "slow", "slow", Threshold=90, Statistic=None, ExtendedStatistic="p99")
    publish(laptop_cloud, "slow", *[1.0] * 50, *[100.0] * 5)
    assert until(lambda: state(laptop_cloud, "slow") == "ALARM")


def test_one_bad_minute_of_three_is_not_enough_but_two_are(laptop_cloud: LaptopCloud, until: Until) -> None:
    put(laptop_cloud, "flaky", "flaky", EvaluationPeriods=3, DatapointsToAlarm=2)
    publish(laptop_cloud, "flaky", 1)
    for _ in range(5):
        time.sleep(0.15)
        assert state(laptop_cloud, "flaky") == "OK"
    time.sleep(0.5)  # another of the minutes that last a second
    publish(laptop_cloud, "flaky", 1)
    assert until(lambda: state(laptop_cloud, "flaky") == "ALARM")


@pytest.mark.parametrize(
    ("missing", "expected"), [("breaching", "ALARM"), ("notBreaching", "OK"), ("missing", "INSUFFICIENT_DATA")]
)
def test_silence_counts_as_the_alarm_says(missing: str, expected: str, laptop_cloud: LaptopCloud, until: Until) -> None:
    put(laptop_cloud, missing, f"silent-{missing}", TreatMissingData=missing)
    assert until(lambda: state(laptop_cloud, missing) == expected)
