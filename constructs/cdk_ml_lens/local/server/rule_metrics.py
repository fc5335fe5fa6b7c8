"""EventBridge's metric ``TriggeredRules``, on which alarms about events stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import cloudwatch, eventbridge

Event = dict[str, Any]


def install() -> None:
    """Count each event that a rule matches, whether the rule has targets or not.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
    """
    eventbridge._dispatch_event = _counting(eventbridge._dispatch_event)


def _counting(original: Callable[..., None]) -> Callable[..., None]:
    def dispatch_event(event: Event, view: Any = None) -> None:
        seen = eventbridge._pattern_event_view(event) if view is None else view
        original(event, seen)
        for key, rule in list(eventbridge._rules.items()):
            if _applies(rule, event) and eventbridge._matches_pattern_view(rule["EventPattern"], seen, f"rule {key}"):
                cloudwatch.record_metric("AWS/Events", "TriggeredRules", 1, "Count", {"RuleName": rule["Name"]})

    return dispatch_event


def _applies(rule: Event, event: Event) -> bool:
    same_bus = rule.get("EventBusName", "default") == event.get("EventBusName", "default")
    return same_bus and rule.get("State") == "ENABLED" and bool(rule.get("EventPattern"))
