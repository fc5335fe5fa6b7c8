"""Last part of a shift: finish it, or restore the weights it began with and say why."""

from __future__ import annotations

from cdk_ml_lens.hosting.shift_asl import (
    GOAL_REACHED,
    LOST,
    MAX_POLLS,
    POLL_SECONDS,
    States,
    announce,
    caught,
    choice,
    describe_endpoint,
    fail,
    js,
    note,
    set_weights,
    succeed,
    task,
    update_claim,
    wait,
)
from cdk_ml_lens.hosting.shift_plan import ShiftPlan


def end_states(plan: ShiftPlan) -> States:
    """Return the states after the last step, and those after a stop; they begin at ``Finish`` and ``RecordStop``."""
    return {**_finish(plan), **_stop(), **_restore()}


def _finish(plan: ShiftPlan) -> States:
    lost = caught(LOST, "ShiftLost")
    states: States = {
        "Finish": update_claim(
            "phase = :finished",
            {":finished": {"S": "finished"}},
            next="AnnounceFinished",
            catch=[lost, caught(["States.ALL"], "RecordStop")],
        ),
        "AnnounceFinished": announce("finished", next="ShiftFinished"),
        "ShiftFinished": succeed(decision="finished", endpoint="${Endpoint}", variant=js("$to"), note=js("$reason")),
    }
    if plan.retire_instances is None:
        return states
    retired = {"VariantName": js("$from"), "DesiredWeight": 0, "DesiredInstanceCount": plan.retire_instances}
    states["Retire"] = task(
        "aws-sdk:sagemaker:updateEndpointWeightsAndCapacities",
        {"EndpointName": "${Endpoint}", "DesiredWeightsAndCapacities": [retired]},
        next="Finish",
        catch=[caught(["States.ALL"], "Finish")],  # the traffic is where it belongs; the event tells the reason
    )
    return states


def _stop() -> States:
    goal = {"goal": js("[$previous[VariantName in $names]]"), "polls": js("0")}
    released = {":stopped": {"S": "stopped"}, ":reason": {"S": js("$reason")}}
    return {
        "Stop": note(next="RecordStop", reason=js("$fault != '' ? $fault : $look.fault")),
        "WeightsStuck": note(next="RecordStop", reason="the endpoint did not take the weights in time"),
        "RecordStop": update_claim(
            "stop_reason = :reason",
            {":reason": {"S": js("$reason")}},
            next="NeedsRestore",
            # without the table the weights are restored all the same; only another holder's are left alone
            catch=[
                caught(LOST, "ShiftLost"),
                {"ErrorEquals": ["States.ALL"], "Assign": goal, "Next": "NeedsRestore"},
            ],
            assign=goal,
        ),
        "NeedsRestore": choice(("$touched and $count($goal) > 0", "Restore"), default="AnnounceStopped"),
        "AnnounceStopped": announce("stopped", next="ReleaseStopped"),
        "ReleaseStopped": update_claim(
            "phase = :stopped, stop_reason = :reason",
            released,
            next="AfterStop",
            catch=[{"ErrorEquals": ["States.ALL"], "Next": "AfterStop"}],
        ),
        "AfterStop": choice(("$after = 'fail'", "ShiftStopped"), default="AfterRestore"),
        "ShiftStopped": fail("ShiftStopped", js("$reason")),
        "ShiftLost": fail("ShiftLost", "another execution has taken this shift over; it decides about the weights"),
    }


def _restore() -> States:
    failed = [caught(["States.ALL"], "AnnounceRestoreFailed")]
    return {
        "Restore": set_weights(next="ReadRestored", catch=failed),
        "ReadRestored": describe_endpoint(
            next="RestoredYet", catch=failed, assign={"reached": GOAL_REACHED, "polls": js("$polls + 1")}
        ),
        "RestoredYet": choice(
            ("$reached", "AnnounceRestored"), (f"$polls < {MAX_POLLS}", "WaitForRestore"), default="RestoreStuck"
        ),
        "WaitForRestore": wait(POLL_SECONDS, next="ReadRestored"),
        "RestoreStuck": note(next="AnnounceRestoreFailed", reason="the endpoint did not take the old weights in time"),
        "AnnounceRestored": announce("restored", next="ReleaseRestored"),
        "ReleaseRestored": update_claim(
            "phase = :restored, stop_reason = :reason",
            {":restored": {"S": "restored"}, ":reason": {"S": js("$reason")}},
            next="AfterRestore",
            catch=[{"ErrorEquals": ["States.ALL"], "Next": "AfterRestore"}],
        ),
        "AfterRestore": choice(
            ("$after = 'again'", "ReadClaim"), ("$after = 'done'", "Restored"), default="ShiftRestored"
        ),
        "Restored": succeed(decision="restored", endpoint="${Endpoint}", reason=js("$reason")),
        "ShiftRestored": fail("ShiftRestored", js("$reason")),
        "AnnounceRestoreFailed": announce("restore_failed", next="RestoreFailed"),
        "RestoreFailed": fail("RestoreFailed", js("$reason")),
    }
