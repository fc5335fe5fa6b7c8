"""The whole definition of a traffic shift, from its plan and checks."""

from __future__ import annotations

from typing import Any

from cdk_ml_lens.hosting.shift_asl import MAX_POLLS, POLL_SECONDS
from cdk_ml_lens.hosting.shift_checks import ShiftChecks
from cdk_ml_lens.hosting.shift_end import end_states
from cdk_ml_lens.hosting.shift_plan import ShiftPlan
from cdk_ml_lens.hosting.shift_start import start_states
from cdk_ml_lens.hosting.shift_steps import check_states, step_states

_SLACK_SECONDS = 3600
_LONGEST_EXECUTION_SECONDS = 31_536_000  # a year: Step Functions quotas


def definition(plan: ShiftPlan, checks: ShiftChecks, *, alarm_count: int) -> dict[str, Any]:
    """Return the Amazon States Language definition.

    Parameters
    ----------
    plan : ShiftPlan
        Steps and bakes.
    checks : ShiftChecks
        Synthetic test and comparison.
    alarm_count : int
        Number of alarms; their names are the substitutions ``Alarm0``, ``Alarm1`` …, beside ``Endpoint``, ``Table`` and
        ``Partition``.

    Notes
    -----
    Every wait and every task is bounded, so the whole is; the time-out of the machine is the last resort.
    """
    first, before = check_states(checks, alarm_count)
    return {
        "Comment": f"Traffic shift between two production variants: {plan.signature}",
        "QueryLanguage": "JSONata",
        "StartAt": "ReadRequest",
        "TimeoutSeconds": _longest(plan),
        "States": {
            **start_states(plan, first=first),
            **before,
            **step_states(plan, checks, alarm_count),
            **end_states(plan),
        },
    }


def _longest(plan: ShiftPlan) -> int:
    settling = (len(plan.steps) + 2) * MAX_POLLS * POLL_SECONDS
    return min(_LONGEST_EXECUTION_SECONDS, plan.longest_seconds + settling + _SLACK_SECONDS)
