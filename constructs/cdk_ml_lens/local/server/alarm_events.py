"""EventBridge's ``CloudWatch Alarm State Change``, which MiniStack does not send."""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from ministack.services import cloudwatch, eventbridge

TITLE = "CloudWatch Alarm State Change"
Alarm = dict[str, Any]
# what the state of an alarm was, by its ARN
_before: dict[str, dict[str, Any]] = {}


def install() -> None:
    """Send the event of every change of state.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
    """
    original = cloudwatch._record_history

    def record_history(
        alarm_name: str, old_state: str, new_state: str, reason: str,
        alarm_type: str = "MetricAlarm", reason_data: str | None = None,
    ) -> None:  # fmt: skip
        original(alarm_name, old_state, new_state, reason, alarm_type, reason_data)
        alarm = cloudwatch._alarms.get(alarm_name) or cloudwatch._composite_alarms.get(alarm_name)
        if alarm is not None and old_state != new_state:
            _announce(alarm, old_state, {"value": new_state, "reason": reason, "reasonData": reason_data})

    cloudwatch._record_history = record_history


def _announce(alarm: Alarm, old_state: str, given: dict[str, Any]) -> None:
    now = datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
    state = {name: value for name, value in {**given, "timestamp": now}.items() if value is not None}
    arn = alarm["AlarmArn"]
    previous = _before.get(arn, {})
    previous = previous if previous.get("value") == old_state else {"value": old_state}
    _before[arn] = state
    detail = {
        "alarmName": alarm["AlarmName"], "state": state, "previousState": previous,
        "configuration": _configuration(alarm),
    }  # fmt: skip
    entry = {"Source": "aws.cloudwatch", "DetailType": TITLE, "Resources": [arn], "Detail": json.dumps(detail)}
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def _configuration(alarm: Alarm) -> dict[str, Any]:
    described = {"description": alarm["AlarmDescription"]} if alarm.get("AlarmDescription") else {}
    if alarm.get("AlarmRule"):
        return {**described, "alarmRule": alarm["AlarmRule"]}
    if not alarm.get("MetricName"):
        return described
    dimensions = {item["Name"]: item["Value"] for item in alarm.get("Dimensions") or []}
    metric = {"namespace": alarm["Namespace"], "name": alarm["MetricName"], "dimensions": dimensions}
    stat = alarm.get("ExtendedStatistic") or alarm.get("Statistic", "Average")
    shown = {"metric": metric, "period": int(alarm.get("Period", 60)), "stat": stat}
    return {**described, "metrics": [{"id": str(uuid.uuid4()), "metricStat": shown, "returnData": True}]}
