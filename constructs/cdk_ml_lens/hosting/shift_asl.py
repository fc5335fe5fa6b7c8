"""Amazon States Language in JSONata, as small builders: tasks that always time out, retry and catch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

State = dict[str, Any]
States = dict[str, State]

SOURCE = "cdk-ml-lens.traffic-shift"
DETAIL_TYPE = "Traffic shift decision"
INTEGRATION = "arn:aws:states:::"  # the construct puts its own partition there
POLL_SECONDS = 10
MAX_POLLS = 180  # half an hour: an endpoint takes a few minutes for weights, longer for instances
_TASK_SECONDS = 70  # InvokeEndpoint answers within 60: API_runtime_InvokeEndpoint

# The optimized integration and the SDK integration spell the service differently.
LOST = ["DynamoDB.ConditionalCheckFailedException", "DynamoDb.ConditionalCheckFailedException"]
GONE = ["Sfn.ExecutionDoesNotExistException"]
_QUICK: Mapping[str, Any] = {
    "IntervalSeconds": 1, "MaxAttempts": 3, "BackoffRate": 2, "MaxDelaySeconds": 10, "JitterStrategy": "FULL",
}  # fmt: skip
# An endpoint that is being updated refuses other updates until it is InService again.
PATIENT: Mapping[str, Any] = {
    "IntervalSeconds": 2, "MaxAttempts": 12, "BackoffRate": 2, "MaxDelaySeconds": 120, "JitterStrategy": "FULL",
}  # fmt: skip
NEVER: Mapping[str, Any] = {"MaxAttempts": 0}


def js(expression: str) -> str:
    """Return a JSONata expression as a value of the definition."""
    return "{% " + " ".join(expression.split()) + " %}"


def text(value: str) -> str:
    """Return a JSONata literal of a text."""
    return json.dumps(value)


def caught(errors: Sequence[str], next: str, assign: Mapping[str, Any] | None = None) -> State:
    """Return a catcher that keeps the error as ``$reason`` and goes to ``next``."""
    kept = {"reason": js("$states.errorOutput.Error & ': ' & $substring($states.errorOutput.Cause, 0, 500)")}
    return {"ErrorEquals": list(errors), "Assign": {**kept, **(assign or {})}, "Next": next}


def task(
    resource: str,
    arguments: Mapping[str, Any],
    *,
    next: str,
    catch: Sequence[State],
    assign: Mapping[str, str] | None = None,
    retry: Mapping[str, Any] = _QUICK,
) -> State:
    """Return a task on a service integration, for example ``dynamodb:getItem`` or ``aws-sdk:sagemaker:…``."""
    state: State = {
        "Type": "Task",
        "Resource": f"{INTEGRATION}{resource}",
        "Arguments": dict(arguments),
        "TimeoutSeconds": _TASK_SECONDS,
        "Catch": list(catch),
        "Next": next,
    }
    if assign:
        state["Assign"] = dict(assign)
    if retry is not NEVER:
        answers = {"ErrorEquals": [*LOST, *GONE], "MaxAttempts": 0}  # these errors are answers, not failures
        state["Retry"] = [answers, {"ErrorEquals": ["States.ALL"], **retry}]
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


def wait(seconds: int, *, next: str, assign: Mapping[str, str] | None = None) -> State:
    """Return a wait."""
    state: State = {"Type": "Wait", "Seconds": seconds, "Next": next}
    return {**state, "Assign": dict(assign)} if assign else state


def fail(error: str, cause: str) -> State:
    """Return the end of an execution that did not succeed; both are constants or expressions."""
    return {"Type": "Fail", "Error": error, "Cause": cause}


def succeed(**output: str) -> State:
    """Return the end of an execution that did what was asked."""
    return {"Type": "Succeed", "Output": output}


def announce(
    decision: str, *, next: str, otherwise: str | None = None, assign: Mapping[str, str] | None = None
) -> State:
    """Return a task that puts a decision on the default event bus.

    Parameters
    ----------
    decision : str
        Its name in the event.
    next : str
        Next state.
    otherwise : str, optional
        Next state when the event could not be put. Default: ``next``; decisions that were carried out already stand.
    assign : mapping, optional
        Variables to set once it is put.
    """
    detail = {
        "decision": decision,
        "reason": js("$reason"),
        "endpoint": "${Endpoint}",
        "execution": js("$me"),
        "from": js("$from != '' ? $from : $askedFrom"),
        "to": js("$to != '' ? $to : $askedTo"),
        "test": js("$test"),
        "step": js("$step + 1"),
        "percent": js("$percent"),
        "weights": js("$merge($append([{}], $goal.{VariantName: DesiredWeight}))"),
        "measured": js("$look"),
    }
    entry = {"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": detail, "EventBusName": "default"}
    kept = None if otherwise is not None else assign
    return task(
        "events:putEvents",
        {"Entries": [entry]},
        next=next,
        catch=[
            caught(["States.ALL"], otherwise)
            if otherwise is not None
            else {"ErrorEquals": ["States.ALL"], "Next": next, **({"Assign": dict(kept)} if kept else {})}
        ],
        assign=assign,
    )


def update_claim(
    expression: str,
    values: Mapping[str, Any],
    *,
    next: str,
    catch: Sequence[State],
    assign: Mapping[str, str] | None = None,
) -> State:
    """Return a task that changes the claim, on condition that it is still this execution's."""
    return task(
        "dynamodb:updateItem",
        {
            "TableName": "${Table}",
            "Key": {"id": {"S": "${Endpoint}"}},
            "UpdateExpression": f"SET {expression}",
            "ConditionExpression": "holder = :me AND phase = :running",
            "ExpressionAttributeValues": {":me": {"S": js("$me")}, ":running": {"S": "running"}, **values},
        },
        next=next,
        catch=catch,
        assign=assign,
    )


def describe_endpoint(*, next: str, catch: Sequence[State], assign: Mapping[str, str]) -> State:
    """Return a task that reads the endpoint."""
    return task(
        "aws-sdk:sagemaker:describeEndpoint", {"EndpointName": "${Endpoint}"}, next=next, catch=catch, assign=assign
    )


def set_weights(*, next: str, catch: Sequence[State]) -> State:
    """Return a task that sets the weights in ``$goal``."""
    return task(
        "aws-sdk:sagemaker:updateEndpointWeightsAndCapacities",
        {"EndpointName": "${Endpoint}", "DesiredWeightsAndCapacities": js("$goal")},
        next=next,
        catch=catch,
        retry=PATIENT,
    )


# Weights are 32-bit numbers at SageMaker AI, hence the tolerance.
GOAL_REACHED = js(
    """($is := $states.result.ProductionVariants;
        $met := $filter($goal, function($g) {
          $abs($is[VariantName = $g.VariantName].CurrentWeight - $g.DesiredWeight) <= 0.00001 * $scale + 0.000001
        });
        $states.result.EndpointStatus = 'InService' and $count($met) = $count($goal))"""
)

STOP = [caught(["States.ALL"], "RecordStop")]
"""Catchers of every state between claim and decision."""
