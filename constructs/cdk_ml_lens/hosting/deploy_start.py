"""First part of a deployment: wait for the turn, work out the plan, read the endpoint, make model and configuration."""

from __future__ import annotations

from cdk_ml_lens.hosting.deploy_asl import (
    ENDPOINT_POLLS,
    MOVING,
    SERVES,
    Mode,
    failed,
    invoke,
    look_again,
    made_by,
)
from cdk_ml_lens.hosting.shift_asl import State, States, caught, choice, describe_endpoint, js, note, task, wait

_TURN_SECONDS = 30
# Executions come newest first, so those behind ours in the list started before it.
# Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
_OLDER = js(
    """($arns := [$states.result.Executions.ExecutionArn]; $me := $states.context.Execution.Id;
        $place := $filter($map($arns, function($arn, $i) { $arn = $me ? $i : -1 }), function($i) { $i >= 0 });
        $exists($place) ? $count($arns) - 1 - $place : $count($arns))"""
)


def start_states(mode: Mode, *, prepare_arn: str) -> States:
    """Return the states from the start to ``Deploy``; what fails before an endpoint is touched ends in a refusal."""
    return {**_queue(), **_plan(mode, prepare_arn), **_endpoint(), **_made()}


def _queue() -> States:
    given = "$exists($states.input.{0}) ? $string($states.input.{0}) : ''"
    asked = (("model_version", "version"), ("model_package_arn", "model_package_arn"))
    unknown = ", ".join(f"'{name}': {given.format(field)}" for name, field in asked)
    return {
        "ReadRequest": note(
            next="Queue",
            me=js("$states.context.Execution.Id"),
            plan=js("{" + unknown + "}"),
            **dict.fromkeys(("error", "reason", "fault", "status", "live", "previous", "to"), ""),
            existed=False,
            polls=0,
            older=0,
        ),
        "Queue": task(
            "aws-sdk:sfn:listExecutions",
            {"StateMachineArn": js("$states.context.StateMachine.Id"), "StatusFilter": "RUNNING"},
            next="Turn",
            catch=failed("QueueFailed"),
            assign={"older": _OLDER},
        ),
        "Turn": choice(("$older = 0", "Prepare"), default="WaitForTurn"),
        "WaitForTurn": wait(_TURN_SECONDS, next="Queue"),
    }


def _plan(mode: Mode, prepare_arn: str) -> States:
    payload = {
        "mode": mode,
        "execution": js("$states.context.Execution.Name"),
        "request": js("$states.context.Execution.Input"),
    }
    # The function's named errors tell why a version must not be deployed; they become the execution's.
    refused = caught(["States.ALL"], "AnnounceFailed", {"error": js("$states.errorOutput.Error")})
    assign = {"plan": js("$states.result.Payload"), "to": js("$states.result.Payload.variant")}
    return {"Prepare": invoke(prepare_arn, payload, next="ReadEndpoint", catch=[refused], assign=assign)}


def _endpoint() -> States:
    missing = {"error": "EndpointUnreadable"}
    serves = "$substring($live, 0, $length($plan.live_prefix)) = $plan.live_prefix"
    return {
        "ReadEndpoint": describe_endpoint(
            next="EndpointSettled",
            catch=[caught(["States.ALL"], "EndpointThere", missing)],
            assign={**SERVES, "existed": js("true")},
        ),
        # DescribeEndpoint has no error of its own for an endpoint that does not exist: the text tells.
        "EndpointThere": choice(("$contains($reason, 'Could not find')", "Absent"), default="AnnounceFailed"),
        "Absent": note(next="MakeModel", existed=False, error="", reason="", polls=0),
        "EndpointSettled": choice(
            (f"$status = 'InService' and {serves}", "Served"),
            ("$status = 'InService'", "Remember"),
            ("$status = 'Failed'", "DeleteFailed"),
            (f"$polls < {ENDPOINT_POLLS} and $status in {MOVING}", "WaitForEndpoint"),
            default="EndpointNotReady",
        ),
        "WaitForEndpoint": look_again("ReadEndpoint"),
        "Served": note(next="Verify", previous=js("$live"), polls=0),
        "Remember": note(next="MakeModel", previous=js("$live"), polls=0),
        # An endpoint that could never be created serves nobody and takes no update: API_DescribeEndpoint.
        "DeleteFailed": task(
            "aws-sdk:sagemaker:deleteEndpoint",
            {"EndpointName": "${Endpoint}"},
            next="WaitForEndpoint",
            catch=failed("EndpointNotReady"),
        ),
        "EndpointNotReady": note(
            next="AnnounceFailed", error="EndpointNotReady", reason=js("'the endpoint is ' & $status")
        ),
    }


def _made() -> States:
    return {
        "MakeModel": _create("createModel", "$plan.model", next="MakeConfig", otherwise="ModelThere"),
        "ModelThere": made_by("ModelRefused", next="MakeConfig"),
        "ModelRefused": note(next="AnnounceFailed", error="ModelRefused"),
        "MakeConfig": _create("createEndpointConfig", "$plan.config", next="Deploy", otherwise="ConfigThere"),
        "ConfigThere": made_by("ConfigRefused", next="Deploy"),
        "ConfigRefused": note(next="AnnounceFailed", error="ConfigRefused"),
    }


def _create(action: str, arguments: str, *, next: str, otherwise: str) -> State:
    """Return a call whose arguments are all in the plan; a lost answer makes the retry find its own work."""
    state = task(f"aws-sdk:sagemaker:{action}", {}, next=next, catch=[caught(["States.ALL"], otherwise)])
    return {**state, "Arguments": js(arguments)}
