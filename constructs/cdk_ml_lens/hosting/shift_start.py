"""First part of a shift: read the request, refuse what is wrong, claim the endpoint or take over a dead claim."""

from __future__ import annotations

from cdk_ml_lens.hosting.shift_asl import (
    GONE,
    LOST,
    MAX_POLLS,
    POLL_SECONDS,
    State,
    States,
    announce,
    caught,
    choice,
    describe_endpoint,
    fail,
    js,
    note,
    succeed,
    task,
    text,
    wait,
)
from cdk_ml_lens.hosting.shift_plan import ShiftPlan

_CLAIM = js(
    """($i := $states.result.Item;
        $exists($i) and $i.phase.S = 'running'
          ? {'held': true, 'holder': $i.holder.S, 'from': $i.shift_from.S, 'to': $i.shift_to.S,
             'plan': $i.shift_plan.S, 'step': $number($i.shift_step.N), 'previous': $parse($i.weights_before.S)}
          : {'held': false})"""
)
_MOVING = "['Creating', 'Updating', 'SystemUpdating', 'RollingBack']"


def start_states(plan: ShiftPlan, *, first: str) -> States:
    """Return the states from the start to ``first``, the first check of the new variant."""
    refused = [caught(["States.ALL"], "AnnounceRefused", {"error": "ShiftRefused"})]
    return {
        "ReadRequest": _read_request(),
        "ReadClaim": task(
            "dynamodb:getItem",
            {"TableName": "${Table}", "Key": {"id": {"S": "${Endpoint}"}}, "ConsistentRead": True},
            next="ClaimHeld",
            catch=refused,
            assign={"claim": _CLAIM, "polls": js("0")},
        ),
        "ClaimHeld": choice(("$claim.held", "ReadHolder"), default="ReadEndpoint"),
        "ReadHolder": task(
            "aws-sdk:sfn:describeExecution",
            {"ExecutionArn": js("$claim.holder")},
            next="HolderRuns",
            catch=[{"ErrorEquals": GONE, "Next": "ReadEndpoint"}, *refused],
            assign={"alive": js("$states.result.Status = 'RUNNING'")},
        ),
        "HolderRuns": choice(("$alive", "AlreadyRunning"), default="ReadEndpoint"),
        "AlreadyRunning": note(
            next="AnnounceRefused",
            error="ShiftAlreadyRunning",
            reason="another execution shifts this endpoint's traffic",
        ),
        "ReadEndpoint": describe_endpoint(
            next="EndpointSettled",
            catch=refused,
            assign={"seen": _seen(plan), "status": js("$states.result.EndpointStatus"), "polls": js("$polls + 1")},
        ),
        "EndpointSettled": choice(
            ("$status = 'InService'", "RequestValid"),
            (f"$polls < {MAX_POLLS} and $status in {_MOVING}", "WaitForEndpoint"),
            default="EndpointNotReady",
        ),
        "WaitForEndpoint": wait(POLL_SECONDS, next="ReadEndpoint"),
        "EndpointNotReady": note(
            next="AnnounceRefused", error="ShiftRefused", reason=js("'the endpoint is ' & $status & ', not InService'")
        ),
        "RequestValid": choice(
            ("$mode = 'restore' and $not($claim.held)", "NothingToRestore"),
            ("$mode = 'shift' and $seen.fault != ''", "RequestInvalid"),
            ("$claim.held", "TakeOver"),
            default="Claim",
        ),
        "NothingToRestore": succeed(decision="nothing to restore", endpoint="${Endpoint}"),
        "RequestInvalid": note(next="AnnounceRefused", error="ShiftRefused", reason=js("$seen.fault")),
        "AnnounceRefused": announce("refused", next="ShiftRefused"),
        "ShiftRefused": fail(js("$error"), js("$reason")),
        "Claim": _claim(plan, refused),
        "TakeOver": _take_over(plan, refused),
        "ResumeOrUndo": choice(("$resume", "AnnounceResumed"), default="Undo"),
        "Undo": note(
            next="RecordStop",
            reason="a shift that ended without a decision is undone",
            after=js("$mode = 'restore' ? 'done' : 'again'"),
        ),
        "AnnounceStarted": announce("started", next=first, otherwise="RecordStop"),
        "AnnounceResumed": announce("resumed", next=first, otherwise="RecordStop"),
    }


def _read_request() -> State:
    given = "$exists($states.input.{0}) ? $string($states.input.{0}) : ''"
    return note(
        next="ReadClaim",
        me=js("$states.context.Execution.Id"),
        mode=js("$exists($states.input.restore) and $states.input.restore = true ? 'restore' : 'shift'"),
        askedFrom=js(given.format("from")),
        askedTo=js(f"{given.format('to')[:-2]} ({given.format('winner')})"),
        test=js(given.format("test")),
        **dict.fromkeys(("from", "to", "reason", "error", "fault"), ""),
        **dict.fromkeys(("step", "percent", "scale", "polls", "looks", "extra"), 0),
        **{name: [] for name in ("goal", "previous", "names")},
        touched=False,
        alive=False,
        after="fail",
        since=js("$now()"),
        base={"requests": 0, "errors": 0, "latency_us": 0},
        look={"fault": "", "enough": True},
    )


def _seen(plan: ShiftPlan) -> str:
    steps = list(plan.steps)
    return js(
        f"""($all := $states.result.ProductionVariants;
             $names := [$all.VariantName];
             $others := [$all[VariantName != $askedTo].VariantName];
             $old := $askedFrom != '' ? $askedFrom : $count($others) = 1 ? $others[0] : '';
             $pair := [$all[VariantName in [$old, $askedTo]].
               {{'VariantName': VariantName, 'DesiredWeight': CurrentWeight}}];
             $total := $sum($append([0], $pair.DesiredWeight));
             $part := $sum($append([0], $pair[VariantName = $askedTo].DesiredWeight));
             $share := $total > 0 ? $part / $total * 100 : 0;
             $before := $count({steps}[$ < $share - 0.001]);
             {{'names': $names, 'from': $old, 'previous': $pair, 'scale': $total,
               'step': $before < {len(steps)} ? $before : {len(steps) - 1},
               'fault': $askedTo = '' ? {text("the input names no variant to shift to")}
                 : $not($askedTo in $names) ? 'the endpoint has no variant ' & $askedTo
                 : $old = '' ? {text("the input must name 'from': the endpoint has more than two variants, or one")}
                 : $not($old in $names) ? 'the endpoint has no variant ' & $old
                 : $old = $askedTo ? {text("'from' and 'to' are the same variant")}
                 : $total <= 0 ? 'both variants have weight 0' : ''}})"""
    )


def _claim(plan: ShiftPlan, refused: list[State]) -> State:
    item = {
        "id": {"S": "${Endpoint}"},
        "phase": {"S": "running"},
        "holder": {"S": js("$me")},
        "shift_from": {"S": js("$seen.from")},
        "shift_to": {"S": js("$askedTo")},
        "shift_plan": {"S": plan.signature},
        "shift_step": {"N": js("$string($seen.step)")},
        "weights_before": {"S": js("$string($seen.previous)")},
        "started_at": {"S": js("$now()")},
    }
    return task(
        "dynamodb:putItem",
        {
            "TableName": "${Table}",
            "Item": item,
            "ConditionExpression": "attribute_not_exists(id) OR phase <> :running",
            "ExpressionAttributeValues": {":running": {"S": "running"}},
        },
        next="AnnounceStarted",
        catch=[caught(LOST, "AlreadyRunning"), *refused],
        assign={
            "from": js("$seen.from"),
            "to": js("$askedTo"),
            "step": js("$seen.step"),
            "scale": js("$seen.scale"),
            "previous": js("$seen.previous"),
            "names": js("$seen.names"),
            "touched": js("false"),
            "after": "fail",
            "reason": "",
        },
    )


def _take_over(plan: ShiftPlan, refused: list[State]) -> State:
    same = f"$claim.from = $seen.from and $claim.to = $askedTo and $claim.plan = {text(plan.signature)}"
    return task(
        "dynamodb:updateItem",
        {
            "TableName": "${Table}",
            "Key": {"id": {"S": "${Endpoint}"}},
            "UpdateExpression": "SET holder = :me",
            "ConditionExpression": "holder = :dead AND phase = :running",
            "ExpressionAttributeValues": {
                ":me": {"S": js("$me")},
                ":dead": {"S": js("$claim.holder")},
                ":running": {"S": "running"},
            },
        },
        next="ResumeOrUndo",
        catch=[caught(LOST, "AlreadyRunning"), *refused],
        assign={
            "resume": js(f"$mode = 'shift' and {same}"),
            "from": js("$claim.from"),
            "to": js("$claim.to"),
            "step": js("$claim.step"),
            "scale": js("$sum($append([0], $claim.previous.DesiredWeight))"),
            "previous": js("$claim.previous"),
            "names": js("$seen.names"),
            "touched": js("true"),
        },
    )
