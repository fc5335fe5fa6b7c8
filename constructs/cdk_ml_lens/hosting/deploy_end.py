"""Last part of a deployment: roll out, verify, record; or leave the endpoint as it was and say why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cdk_ml_lens.hosting.deploy_asl import (
    FAILURE,
    MOVING,
    SERVES,
    SUCCEEDED,
    Mode,
    announce,
    failed,
    invoke,
    look_again,
)
from cdk_ml_lens.hosting.shift_asl import (
    PATIENT,
    State,
    States,
    caught,
    choice,
    describe_endpoint,
    fail,
    js,
    note,
    succeed,
    task,
)
from cdk_ml_lens.hosting.shift_checks import ShiftChecks, SyntheticRequest
from cdk_ml_lens.hosting.shift_synthetic import ask_states, item_of


def end_states(
    mode: Mode, *, guards: Mapping[str, Any], polls: int, request: SyntheticRequest, record_arn: str | None
) -> States:
    """Return the states from ``Deploy`` to the ends.

    Parameters
    ----------
    mode : {"approved", "rebuild"}
        What the announcement says.
    guards : mapping
        DeploymentConfig of an update.
    polls : int
        Looks at the endpoint before a rollout counts as stuck.
    request : SyntheticRequest
        What the new version is asked.
    record_arn : str, optional
        Function that writes the approver; a rebuild has none, nor has a registry of another account.
    """
    return {
        **_rollout(guards, polls),
        **_verification(request, after="AnnounceSucceeded" if record_arn is None else "Record"),
        **_restore(polls),
        **({} if record_arn is None else _record(record_arn)),
        **_ends(mode),
        **_sweep(),
    }


def _rollout(guards: Mapping[str, Any], polls: int) -> States:
    return {
        "Deploy": choice(("$existed", "Update"), default="Create"),
        "Update": _put("updateEndpoint", "$plan.name", next="WaitForRollout", DeploymentConfig=dict(guards)),
        "Create": _put("createEndpoint", "$plan.name", next="WaitForRollout"),
        "WaitForRollout": look_again("ReadRollout"),
        "ReadRollout": describe_endpoint(next="RolledOut", catch=failed("EndpointUnreadable"), assign=SERVES),
        "RolledOut": choice(
            ("$status = 'InService' and $live = $plan.name", "Verify"),
            ("$status = 'InService'", "RolledBack"),
            (f"$polls < {polls} and $status in {MOVING}", "WaitForRollout"),
            default="RolloutFailed",
        ),
        "RolledBack": note(
            next="AnnounceFailed",
            error="RolledBack",
            reason=js("'the endpoint serves ' & $live & ' as before' & ($fault = '' ? '' : ': ' & $fault)"),
        ),
        "RolloutFailed": note(
            next="AnnounceFailed",
            error="RolloutFailed",
            reason=js("'the endpoint is ' & $status & ($fault = '' ? '' : ': ' & $fault)"),
        ),
    }


def _verification(request: SyntheticRequest, *, after: str) -> States:
    checks = ShiftChecks(requests=(request,), repeats=1, max_latency_ms=60_000, comparison=None)
    return {
        "Verify": {
            "Type": "Map",
            "Items": [item_of(request)],
            "MaxConcurrency": 1,
            "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, "StartAt": "Ask", "States": ask_states(checks)},
            "Assign": {"fault": js("$join([$states.result.fault], '')")},
            "Catch": [caught(["States.ALL"], "Unverified")],
            "Next": "Verified",
        },
        "Verified": choice(("$fault = ''", after), default="BadAnswer"),
        "BadAnswer": note(next="Unverified", reason=js("'the synthetic request failed: ' & $fault")),
    }


def _restore(polls: int) -> States:
    untouched = "$existed and $previous = $live"  # this version served before this execution
    unsure = [caught(["States.ALL"], "AnnounceFailed", {"error": "RestoreFailed"})]
    return {
        "Unverified": choice((untouched, "VerificationFailed"), ("$existed", "Restore"), default="Discard"),
        "VerificationFailed": note(next="AnnounceFailed", error="VerificationFailed"),
        "Restore": {
            **_put("updateEndpoint", "$previous", next="WaitForRestore", catch=unsure),
            "Assign": {"polls": js("0")},
        },
        "WaitForRestore": look_again("ReadRestored"),
        "ReadRestored": describe_endpoint(next="Restored", catch=unsure, assign=SERVES),
        "Restored": choice(
            ("$status = 'InService' and $live = $previous", "ServesAsBefore"),
            (f"$polls < {polls} and $status in {MOVING}", "WaitForRestore"),
            default="RestoreFailed",
        ),
        "ServesAsBefore": note(
            next="AnnounceFailed",
            error="VerificationFailed",
            reason=js("$reason & '; the endpoint serves ' & $previous & ' again'"),
        ),
        "RestoreFailed": note(
            next="AnnounceFailed",
            error="RestoreFailed",
            reason=js("$reason & '; and the endpoint is ' & $status & ' on ' & $live"),
        ),
        # A first version that cannot answer serves nobody.
        "Discard": task(
            "aws-sdk:sagemaker:deleteEndpoint", {"EndpointName": "${Endpoint}"}, next="VerificationFailed", catch=unsure
        ),
    }


def _record(record_arn: str) -> States:
    payload = {name: js(f"$plan.{name}") for name in ("manifest", "approver", "sha256")}
    return {"Record": invoke(record_arn, payload, next="AnnounceSucceeded", catch=failed("RecordFailed"))}


def _ends(mode: Mode) -> States:
    said = "rebuilt from its manifest" if mode == "rebuild" else js("'approved by ' & $plan.approver")
    untold = [caught(["States.ALL"], "Untold")]
    gone = [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}]  # the execution's end tells the same
    return {
        "AnnounceSucceeded": announce(SUCCEEDED, reason=said, next="SomethingOld", catch=untold),
        "Deployed": succeed(
            endpoint="${Endpoint}", model_version=js("$plan.model_version"), manifest=js("$plan.manifest")
        ),
        "Untold": fail("Untold", js("'the version serves, nobody was told: ' & $reason")),
        "AnnounceFailed": announce(FAILURE, reason=js("$reason"), next="Failed", catch=gone),
        "Failed": fail(js("$error"), js("$reason")),
    }


def _sweep() -> States:
    """Delete what served before and was made by an earlier deployment; a rebuild makes its like from the manifest."""
    ours = "$substring($previous, 0, $length($plan.own_prefix)) = $plan.own_prefix"
    kept: list[State] = [{"ErrorEquals": ["States.ALL"], "Next": "Deployed"}]  # it costs nothing; the version serves
    config, model = {"EndpointConfigName": js("$previous")}, {"ModelName": js("$previous")}
    return {
        "SomethingOld": choice((f"$existed and $previous != $live and {ours}", "SweepConfig"), default="Deployed"),
        "SweepConfig": task("aws-sdk:sagemaker:deleteEndpointConfig", config, next="SweepModel", catch=kept),
        "SweepModel": task("aws-sdk:sagemaker:deleteModel", model, next="Deployed", catch=kept),
    }


def _put(action: str, config: str, *, next: str, catch: list[State] | None = None, **more: Mapping[str, Any]) -> State:
    """Return a call that brings a configuration to the endpoint."""
    arguments = {"EndpointName": "${Endpoint}", "EndpointConfigName": js(config), **more}
    given = failed("RolloutRefused") if catch is None else catch
    return task(f"aws-sdk:sagemaker:{action}", arguments, next=next, catch=given, retry=PATIENT)
