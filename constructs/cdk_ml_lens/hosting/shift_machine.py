"""The whole definition of a traffic shift, from its plan and checks."""

from __future__ import annotations

from typing import Any

from cdk_ml_lens.hosting.shift_asl import INTEGRATION, MAX_POLLS, POLL_SECONDS
from cdk_ml_lens.hosting.shift_checks import ShiftChecks
from cdk_ml_lens.hosting.shift_end import end_states
from cdk_ml_lens.hosting.shift_plan import ShiftPlan
from cdk_ml_lens.hosting.shift_start import start_states
from cdk_ml_lens.hosting.shift_steps import check_states, step_states

_SLACK_SECONDS = 3600
_LONGEST_EXECUTION_SECONDS = 31_536_000  # a year: Step Functions quotas


def definition(plan: ShiftPlan, checks: ShiftChecks, *, alarm_count: int, partition: str = "aws") -> dict[str, Any]:
    """Return the Amazon States Language definition.

    Parameters
    ----------
    plan : ShiftPlan
        Steps and bakes.
    checks : ShiftChecks
        Synthetic test and comparison.
    alarm_count : int
        Number of alarms; their names are the substitutions ``Alarm0``, ``Alarm1`` …, beside ``Endpoint`` and ``Table``.
    partition : str
        Partition of the service integrations' ARNs. Default: ``aws``.

    Notes
    -----
    Every wait and every task is bounded, so the whole is; the time-out of the machine is the last resort.
    """
    first, before = check_states(checks, alarm_count)
    states = {**start_states(plan, first=first), **before, **step_states(plan, checks, alarm_count), **end_states(plan)}
    return {
        "Comment": f"Traffic shift between two production variants: {plan.signature}",
        "QueryLanguage": "JSONata",
        "StartAt": "ReadRequest",
        "TimeoutSeconds": _longest(plan),
        "States": in_partition(states, partition),
    }


def in_partition(node: Any, partition: str) -> Any:
    """Return the states with the partition in the ARN of every service integration, also inside a map."""
    if not isinstance(node, dict):
        return node
    moved = {key: in_partition(value, partition) for key, value in node.items()}
    if isinstance(moved.get("Resource"), str):
        moved["Resource"] = moved["Resource"].replace(INTEGRATION, f"arn:{partition}:states:::")
    return moved


def _longest(plan: ShiftPlan) -> int:
    settling = (len(plan.steps) + 2) * MAX_POLLS * POLL_SECONDS
    return min(_LONGEST_EXECUTION_SECONDS, plan.longest_seconds + settling + _SLACK_SECONDS)
