"""Amazon States Language in JSONata, as small builders: every task times out, and every error is caught."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk

State = dict[str, Any]
States = dict[str, State]

TASK_SECONDS = 70
BUSY: Mapping[str, Any] = {
    "IntervalSeconds": 1, "MaxAttempts": 4, "BackoffRate": 2, "MaxDelaySeconds": 20, "JitterStrategy": "FULL",
}  # fmt: skip
"""Retry of short calls."""
NEVER: Mapping[str, Any] = {"MaxAttempts": 0}

# The whole of a failed job's description is its cause; the reason is one field of it. The text may be cut, so it is
# searched instead of parsed.
_REASON = r"""($cause := $exists($states.errorOutput.Cause) ? $states.errorOutput.Cause : '';
  $plain := $replace($cause, '\\"', "'");
  $field := function($name) {(
    $rest := $trim($substringAfter($substringAfter($plain, '"' & $name & '"'), ':'));
    $contains($plain, '"' & $name & '"') and $substring($rest, 0, 1) = '"'
      ? $substringBefore($substring($rest, 1), '"') : ''
  )};
  $exit := $field('ExitMessage'); $failure := $field('FailureReason'); $raised := $field('errorMessage');
  $found := $exit != '' ? $exit : $failure != '' ? $failure : $raised != '' ? $raised : $cause;
  $substring($states.errorOutput.Error & ': ' & $found, 0, 1000))"""


def js(expression: str) -> str:
    """Return a JSONata expression as a value of the definition."""
    return "{% " + " ".join(expression.split()) + " %}"


def text(value: str) -> str:
    """Return a JSONata literal of a text."""
    return json.dumps(value)


def caught(error: str, step: str, next: str) -> State:
    """Return a catcher of everything, which keeps ``$error``, ``$step`` and ``$reason``."""
    return {
        "ErrorEquals": ["States.ALL"],
        "Assign": {"error": error, "step": step, "reason": js(_REASON)},
        "Next": next,
    }


def task(
    resource: str,
    arguments: Mapping[str, Any],
    *,
    next: str,
    catch: Sequence[State],
    assign: Mapping[str, Any] | None = None,
    retry: Mapping[str, Any] = BUSY,
    retried: Sequence[str] = ("States.ALL",),
    seconds: int = TASK_SECONDS,
) -> State:
    """Return a task on a service integration, for example ``s3:getObject`` behind ``aws-sdk:``.

    Parameters
    ----------
    resource : str
        The integration after ``arn:<partition>:states:::``.
    arguments : mapping
        Its arguments, expressions included.
    next : str
        Next state.
    catch : sequence of State
        Catchers.
    assign : mapping, optional
        Variables to set. Default: none.
    retry : mapping
        How it is tried again. Default: `BUSY`.
    retried : sequence of str
        On which errors. Default: all.
    seconds : int
        Time-out. Default: 70.
    """
    state: State = {
        "Type": "Task",
        "Resource": f"arn:{cdk.Aws.PARTITION}:states:::{resource}",
        "Arguments": dict(arguments),
        "TimeoutSeconds": seconds,
        "Catch": list(catch),
        "Next": next,
    }
    if assign:
        state["Assign"] = dict(assign)
    if retry is not NEVER:
        state["Retry"] = [{"ErrorEquals": list(retried), **retry}]
    return state


def choice(*rules: tuple[str, str], default: str) -> State:
    """Return a choice of (condition, next state)."""
    return {
        "Type": "Choice",
        "Choices": [{"Condition": js(condition), "Next": next} for condition, next in rules],
        "Default": default,
    }


def note(*, next: str, **assign: Any) -> State:
    """Return a state that only sets variables."""
    return {"Type": "Pass", "Assign": assign, "Next": next}


def fail(error: str, cause: str) -> State:
    """Return the end of an execution that did not succeed; both are constants or expressions."""
    return {"Type": "Fail", "Error": error, "Cause": cause}


def succeed(**output: Any) -> State:
    """Return the end of an execution that did what was asked."""
    return {"Type": "Pass", "Output": output, "End": True}


def put_event(*, source: str, detail_type: str, detail: Mapping[str, Any], next: str, catch: Sequence[State]) -> State:
    """Return a task that puts one event on the default bus."""
    entry = {"Source": source, "DetailType": detail_type, "Detail": dict(detail), "EventBusName": "default"}
    return task("events:putEvents", {"Entries": [entry]}, next=next, catch=catch)
