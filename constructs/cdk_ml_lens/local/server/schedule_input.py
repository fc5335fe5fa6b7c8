"""EventBridge Scheduler's context attributes in the input of a target: when, which schedule, which execution."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from ministack.services import eventbridge


def install() -> None:
    """Put the attributes in, which MiniStack leaves as they stand.

    Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
    """
    original = eventbridge._invoke_target

    def invoke_target(target: dict[str, Any], event: dict[str, Any], rule: Any, view: Any = None) -> None:
        if event.get("Source") == "aws.scheduler" and "Input" in target:
            target = {**target, "Input": _filled(target["Input"], event)}
        original(target, event, rule, view)

    eventbridge._invoke_target = invoke_target


def _filled(text: str, event: dict[str, Any]) -> str:
    values = {
        "schedule-arn": event["Resources"][0],
        "scheduled-time": datetime.fromtimestamp(event["Time"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "execution-id": str(uuid.uuid4()),
        "attempt-number": "1",
    }
    for name, value in values.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text
