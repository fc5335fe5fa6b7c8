"""The state machine of a lake's pipeline: one run at a time, a job per step, failures by the name of their step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
import jsii

from cdk_ml_lens.lake.etl_job import EtlJob

# Executions come newest first, so those behind ours in the list started before it.
# Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
_OLDER = (
    "{% ($arns := [$states.result.Executions.ExecutionArn]; $me := $states.context.Execution.Id;"
    " $place := $filter($map($arns, function($arn, $i) { $arn = $me ? $i : -1 }), function($i) { $i >= 0 });"
    " {'older': $exists($place) ? $count($arns) - 1 - $place : $count($arns)}) %}"
)
_REFUSED = "QualityError"  # of ml_lens_etl.publish; Glue puts it into the run's ErrorMessage
_START_MINUTES = 10  # until Glue has workers
_BUSY = ["Glue.ConcurrentRunsExceededException", "Glue.ResourceNumberLimitExceededException"]
_SERVICE = ["Glue.AWSGlueException", "Glue.InternalServiceException", "Glue.OperationTimeoutException"]


@jsii.implements(cdk.IStableAnyProducer)
class _States:
    """Renders the states when the template is, so that jobs can be added until then."""

    def __init__(self, jobs: Sequence[EtlJob]) -> None:
        self._jobs = jobs

    def produce(self) -> Any:
        """Return the states, by name."""
        states = _turn(self._jobs[0].node.id)
        following = [*(job.node.id for job in self._jobs[1:]), "Published"]
        for job, after in zip(self._jobs, following, strict=True):
            states[job.node.id] = _run(job, after)
            states |= _failures(job.node.id)
        states["Published"] = {"Type": "Succeed"}
        return states


def definition_of(jobs: Sequence[EtlJob]) -> dict[str, Any]:
    """Return the definition, in Amazon States Language.

    Parameters
    ----------
    jobs : sequence of EtlJob
        In the order of their run; a state has the id of its job. What is appended before synthesis is run as well.
    """
    return {
        "Comment": "One run works, one waits; any further start is covered by the one that waits.",
        "StartAt": "Queue",
        "States": cdk.Lazy.any(_States(jobs)),
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


def _run(job: EtlJob, after: str) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": f"arn:{cdk.Aws.PARTITION}:states:::glue:startJobRun.sync",
        "Parameters": {"JobName": job.name},
        "TimeoutSeconds": (job.limits.timeout_minutes + _START_MINUTES) * 60,
        "Retry": [
            {"ErrorEquals": _BUSY, "IntervalSeconds": 60, "MaxAttempts": 60, "BackoffRate": 1},
            {"ErrorEquals": _SERVICE, "IntervalSeconds": 30, "MaxAttempts": 3, "BackoffRate": 2},
        ],
        "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": f"{job.node.id}Ended"}],
        "ResultSelector": {"run.$": "$.Id"},
        "ResultPath": f"$.{job.node.id}",
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
