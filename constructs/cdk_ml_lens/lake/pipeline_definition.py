"""The state machine of a lake's pipeline: one run at a time, a job per step, failures by the name of their step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk

# Executions come newest first, so those behind ours in the list started before it.
# Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
_OLDER = (
    "{% ($arns := [$states.result.Executions.ExecutionArn]; $me := $states.context.Execution.Id;"
    " $place := $filter($map($arns, function($arn, $i) { $arn = $me ? $i : -1 }), function($i) { $i >= 0 });"
    " {'older': $exists($place) ? $count($arns) - 1 - $place : $count($arns)}) %}"
)
_REFUSED = "QualityError"  # of ml_lens_etl.publish; Glue puts it into the run's ErrorMessage
_BUSY = ["Glue.ConcurrentRunsExceededException", "Glue.ResourceNumberLimitExceededException"]
_SERVICE = ["Glue.AWSGlueException", "Glue.InternalServiceException", "Glue.OperationTimeoutException"]


@dataclass(frozen=True, kw_only=True)
class JobState:
    """One step of the machine.

    Parameters
    ----------
    name : str
        Name of the state, such as ``Clean``.
    job_name : str
        Name of the Glue job.
    timeout_minutes : int
        Longest run of the job; the state waits ten minutes more.
    """

    name: str
    job_name: str
    timeout_minutes: int


def definition(steps: Sequence[JobState]) -> dict[str, Any]:
    """Return the definition, in Amazon States Language.

    Parameters
    ----------
    steps : sequence of JobState
        In the order of their run.
    """
    states: dict[str, Any] = dict(_turn(steps[0].name))
    following = [*(step.name for step in steps[1:]), "Published"]
    for step, after in zip(steps, following, strict=True):
        states[step.name] = _run(step, after)
        states |= _failures(step.name)
    states["Published"] = {"Type": "Succeed"}
    return {
        "Comment": "One run works, one waits; any further start is covered by the one that waits.",
        "StartAt": "Queue",
        "States": states,
    }


def _turn(first: str) -> dict[str, Any]:
    return {
        "Queue": {
            "QueryLanguage": "JSONata",
            "Type": "Task",
            "Resource": f"arn:{cdk.Aws.PARTITION}:states:::aws-sdk:sfn:listExecutions",
            "Arguments": {"StateMachineArn": "{% $states.context.StateMachine.Id %}", "StatusFilter": "RUNNING"},
            "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 5, "MaxAttempts": 5, "BackoffRate": 2}],
            "Output": _OLDER,
            "Next": "Turn",
        },
        "Turn": {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.older", "NumericEquals": 0, "Next": first},
                {"Variable": "$.older", "NumericEquals": 1, "Next": "Wait"},
            ],
            "Default": "Covered",
        },
        "Wait": {"Type": "Wait", "Seconds": 30, "Next": "Queue"},
        "Covered": {"Type": "Succeed", "Comment": "The execution that waits will read what this one would."},
    }


def _run(step: JobState, after: str) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": f"arn:{cdk.Aws.PARTITION}:states:::glue:startJobRun.sync",
        "Parameters": {"JobName": step.job_name},
        "TimeoutSeconds": (step.timeout_minutes + 10) * 60,
        "Retry": [
            {"ErrorEquals": _BUSY, "IntervalSeconds": 60, "MaxAttempts": 60, "BackoffRate": 1},
            {"ErrorEquals": _SERVICE, "IntervalSeconds": 30, "MaxAttempts": 3, "BackoffRate": 2},
        ],
        "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": f"{step.name}Ended"}],
        "ResultPath": None,
        "Next": after,
    }


def _failures(step: str) -> dict[str, Any]:
    """Return the ends of a step that published nothing: its rules refused the batch, or it broke."""
    refused, failed = f"{step}Refused", f"{step}Failed"
    return {
        f"{step}Ended": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.failure.Cause", "StringMatches": f"*{_REFUSED}*", "Next": refused}],
            "Default": failed,
        },
        refused: {"Type": "Fail", "Error": refused, "CausePath": "$.failure.Cause"},
        failed: {"Type": "Fail", "Error": failed, "CausePath": "$.failure.Cause"},
    }
