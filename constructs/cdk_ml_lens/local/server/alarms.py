"""Metric alarms that change state by themselves: by dimension, data point and treatment of missing data."""

from __future__ import annotations

import logging
import operator
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from ministack.services import cloudwatch

from . import scaled_time

EVERY_SECONDS = 0.25
Alarm = dict[str, Any]
logger = logging.getLogger("laptop_cloud")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


def install() -> None:
    """Replace MiniStack's evaluation, which pools all dimensions, and evaluate without waiting for PutMetricData.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html#alarm-evaluation.
    Unlike CloudWatch, the newest data point is the period that ends now, not the last full minute.
    """
    cloudwatch._evaluate_alarm = evaluate
    threading.Thread(target=_watch, name="alarms", daemon=True).start()


def state_of(name: str) -> str:
    """Return the state of an alarm; one that does not exist is ``MISSING``."""
    alarm = cloudwatch._alarms.get(name) or cloudwatch._composite_alarms.get(name)
    return "MISSING" if alarm is None else str(alarm["StateValue"])


def evaluate(alarm: Alarm) -> None:
    """Set the state of one metric alarm from its newest periods, and fire its actions on a change."""
    if not alarm.get("MetricName") or alarm.get("ComparisonOperator") not in _COMPARE:
        return
    values = _values(alarm, time.time())
    state = _state(alarm, values)
    old = alarm["StateValue"]
    if state == old:
        return
    reason = f"Threshold Crossed: data points {_shown(values)} against {alarm['Threshold']}, {state}"
    alarm.update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
    cloudwatch._record_history(alarm["AlarmName"], old, state, reason)
    cloudwatch._dispatch_alarm_actions(alarm, old, state, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def _watch() -> None:
    while True:
        time.sleep(EVERY_SECONDS)
        for alarm in list(cloudwatch._alarms.values()):
            try:
                evaluate(alarm)
            except Exception:
                logger.exception("alarm %s was not evaluated", alarm.get("AlarmName"))


def _values(alarm: Alarm, now: float) -> list[float | None]:
    """Return one value per period, the newest first; None where there is no data."""
    period = scaled_time.seconds(float(alarm.get("Period", 60)))
    dimensions = cloudwatch._dims_from_list(alarm.get("Dimensions") or [])
    key = (alarm["Namespace"], alarm["MetricName"], cloudwatch._dims_key(dimensions))
    periods = int(alarm.get("EvaluationPeriods", 1))
    points = [
        point for point in list(cloudwatch._metrics.get(key) or []) if point["Timestamp"] > now - periods * period
    ]
    return [_value(alarm, _within(points, now - (i + 1) * period, now - i * period)) for i in range(periods)]


def _within(points: Sequence[Alarm], after: float, until: float) -> list[Alarm]:
    return [point for point in points if after < point["Timestamp"] <= until]


def _value(alarm: Alarm, points: list[Alarm]) -> float | None:
    if not points:
        return None
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic", "Average")
    found = cloudwatch._stat_value(cloudwatch._calc_stats(points), statistic, points)
    return None if found is None else float(found)


def _state(alarm: Alarm, values: Sequence[float | None]) -> str:
    """Return the state that CloudWatch's rules give to these data points."""
    missing = str(alarm.get("TreatMissingData", "missing"))
    old = str(alarm["StateValue"])
    if all(value is None for value in values):
        kept = {"ignore": old, "missing": "INSUFFICIENT_DATA", "breaching": "ALARM", "notBreaching": "OK"}
        return kept[missing]
    compare, threshold = _COMPARE[alarm["ComparisonOperator"]], float(alarm["Threshold"])
    bad = sum(missing == "breaching" if value is None else compare(value, threshold) for value in values)
    wanted = int(alarm.get("DatapointsToAlarm") or len(values))
    if bad >= wanted:
        return "ALARM"
    return old if missing == "ignore" and None in values else "OK"


def _shown(values: Sequence[float | None]) -> str:
    return ", ".join("none" if value is None else f"{value:g}" for value in values)
