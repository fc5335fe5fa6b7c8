"""What the parts of a deployment's state machine share: names, polls, ends, calls of functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from cdk_ml_lens.hosting.shift_asl import NEVER, State, caught, choice, js, task

Mode = Literal["approved", "rebuild"]

SOURCE = "cdk-ml-lens.deployment"
SUCCEEDED, FAILURE = "Deployment Succeeded", "Deployment Failed"
POLL_SECONDS = 15
_QUICK_SECONDS, _QUICK_LOOKS = 5, 6  # the first looks: small endpoints, and refusals, are there soon
ENDPOINT_POLLS = 480  # two hours: an update that somebody else started may take that long
MOVING = "['Creating', 'Updating', 'SystemUpdating', 'RollingBack', 'Deleting']"
SERVES = {
    "status": js("$states.result.EndpointStatus"),
    "live": js("$states.result.EndpointConfigName"),
    "fault": js("$exists($states.result.FailureReason) ? $states.result.FailureReason : ''"),
}
_FUNCTION_SECONDS = 900
_FUNCTION_FAULTS = [
    "ClientError",  # of boto3, inside the function
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
]


def failed(error: str) -> list[State]:
    """Return the catchers that end a deployment as ``error``, with the cause as reason."""
    return [caught(["States.ALL"], "AnnounceFailed", {"error": error})]


def invoke(
    function_arn: str,
    payload: Mapping[str, Any],
    *,
    next: str,
    catch: Sequence[State],
    assign: Mapping[str, str] | None = None,
) -> State:
    """Return a call of one of our functions; refusals are not repeated, faults of the services are."""
    arguments = {"FunctionName": function_arn, "Payload": dict(payload)}
    state = task("lambda:invoke", arguments, next=next, catch=catch, assign=assign, retry=NEVER)
    state["TimeoutSeconds"] = _FUNCTION_SECONDS
    state["Retry"] = [{"ErrorEquals": _FUNCTION_FAULTS, "IntervalSeconds": 2, "MaxAttempts": 5, "BackoffRate": 2}]
    return state


def look_again(next: str) -> State:
    """Return the wait between two looks at the endpoint, and count it."""
    seconds = js(f"$polls < {_QUICK_LOOKS} ? {_QUICK_SECONDS} : {POLL_SECONDS}")
    return {"Type": "Wait", "Seconds": seconds, "Assign": {"polls": js("$polls + 1")}, "Next": next}


def made_by(otherwise: str, *, next: str) -> State:
    """Return a choice after a refused creation: the name is this execution's, so what exists is its own work."""
    return choice(("$contains($reason, 'already exist')", next), default=otherwise)


def announce(detail_type: str, *, reason: str, next: str, catch: Sequence[State]) -> State:
    """Return a task that puts the outcome on the default event bus."""
    detail = {
        "endpoint": "${Endpoint}",
        "model_version": js("$plan.model_version"),
        "model_package_arn": js("$plan.model_package_arn"),
        "reason": reason,
        "error": js("$error"),
        "execution": js("$me"),
    }
    entry = {"Source": SOURCE, "DetailType": detail_type, "Detail": detail, "EventBusName": "default"}
    return task("events:putEvents", {"Entries": [entry]}, next=next, catch=catch)
