"""Middle part of a shift: check the new variant, then step by step set weights, bake, look, advance or stop."""

from __future__ import annotations

from cdk_ml_lens.hosting.shift_asl import (
    GOAL_REACHED,
    LOST,
    MAX_POLLS,
    POLL_SECONDS,
    STOP,
    State,
    States,
    announce,
    caught,
    choice,
    describe_endpoint,
    js,
    note,
    set_weights,
    task,
    update_claim,
    wait,
)
from cdk_ml_lens.hosting.shift_checks import ShiftChecks, VariantComparison
from cdk_ml_lens.hosting.shift_metrics import baseline_expression, comparison_expression, metric_queries
from cdk_ml_lens.hosting.shift_plan import ShiftPlan
from cdk_ml_lens.hosting.shift_synthetic import synthetic_states

_BASELINE_SECONDS = 3600


def check_states(checks: ShiftChecks, alarm_count: int) -> tuple[str, States]:
    """Return the name of the first check and the states of all checks that come before any traffic moves."""
    states: States = {}
    following = "NextStep"
    if checks.requests:
        states |= synthetic_states(checks)
        following = "SyntheticTest"
    if checks.comparison is not None:
        states["ReadBaseline"] = _metrics(
            ["$from"],
            since=f"$fromMillis($millis() - {_BASELINE_SECONDS * 1000})",
            period=_BASELINE_SECONDS,
            next=following,
            assign={"base": baseline_expression()},
        )
        following = "ReadBaseline"
    if alarm_count:
        states["AlarmsBefore"] = _alarms(alarm_count, next="QuietBefore")
        states["QuietBefore"] = choice(("$fault != ''", "Stop"), default=following)
        following = "AlarmsBefore"
    return following, states


def step_states(plan: ShiftPlan, checks: ShiftChecks, alarm_count: int) -> States:
    """Return the loop over the plan's steps; it begins at ``NextStep``."""
    looks: States = {}
    look = "Judge"
    if checks.comparison is not None:
        window = plan.looks * plan.look_seconds * (1 + plan.extra_bakes)
        looks["ReadMetrics"] = _metrics(
            ["$to", "$from"],
            since="$since",
            period=min(86_400, -(-window // 60) * 60),
            next="Judge",
            assign={"look": comparison_expression(checks.comparison)},
        )
        look = "ReadMetrics"
    if alarm_count:
        looks["ReadAlarms"] = _alarms(alarm_count, next="AlarmsQuiet")
        looks["AlarmsQuiet"] = choice(("$fault != ''", "Stop"), default=look)
        look = "ReadAlarms"
    return {**_apply(plan), **looks, **_bake(plan, checks.comparison, first_look=look)}


def _apply(plan: ShiftPlan) -> States:
    steps = list(plan.steps)
    share = f"{steps}[$step]"
    goal = f"""[{{'VariantName': $from, 'DesiredWeight': $round($scale * (100 - {share}) / 100, 6)}},
                {{'VariantName': $to, 'DesiredWeight': $round($scale * {share} / 100, 6)}}]"""
    last = "Finish" if plan.retire_instances is None else "Retire"
    return {
        "NextStep": choice((f"$step < {len(steps)}", "RecordStep"), default=last),
        "RecordStep": update_claim(
            "shift_step = :step",
            {":step": {"N": js("$string($step)")}},
            next="SetWeights",
            catch=[caught(LOST, "ShiftLost"), *STOP],
            assign={
                "goal": js(goal),
                "percent": js(share),
                "touched": js("true"),
                **{name: js("0") for name in ("polls", "looks", "extra")},
            },
        ),
        "SetWeights": set_weights(next="ReadWeights", catch=STOP),
        "ReadWeights": describe_endpoint(
            next="WeightsReached",
            catch=STOP,
            assign={"reached": GOAL_REACHED, "polls": js("$polls + 1"), "since": js("$now()")},
        ),
        "WeightsReached": choice(
            ("$reached", "AnnounceShifted"), (f"$polls < {MAX_POLLS}", "WaitForWeights"), default="WeightsStuck"
        ),
        "WaitForWeights": wait(POLL_SECONDS, next="ReadWeights"),
        "AnnounceShifted": announce("shifted", next="Bake", otherwise="RecordStop"),
    }


def _bake(plan: ShiftPlan, comparison: VariantComparison | None, *, first_look: str) -> States:
    rules = [("$look.fault != ''", "Stop"), (f"$looks < {plan.looks}", "Bake"), ("$look.enough", "AnnouncePassed")]
    states: States = {"Bake": wait(plan.look_seconds, next=first_look, assign={"looks": js("$looks + 1")})}
    states["AnnouncePassed"] = announce(
        "passed", next="NextStep", otherwise="RecordStop", assign={"step": js("$step + 1")}
    )
    if comparison is None:
        return {**states, "Judge": choice(rules[1], default="AnnouncePassed")}
    states["AnnounceExtended"] = announce("extended", next="Bake", assign={"extra": js("$extra + 1"), "looks": js("0")})
    states["TooFewRequests"] = note(next="RecordStop", reason="too few requests to judge the new variant by")
    rules.append((f"$extra < {plan.extra_bakes}", "AnnounceExtended"))
    return {**states, "Judge": choice(*rules, default="TooFewRequests")}


def _alarms(count: int, *, next: str) -> State:
    found = f"""($all := $append($states.result.MetricAlarms, $states.result.CompositeAlarms);
                 $bad := [$all[StateValue = 'ALARM'].AlarmName];
                 $count($bad) > 0 ? 'in alarm: ' & $join($bad, ', ')
                   : $count($all) < {count} ? 'an alarm of the plan does not exist' : '')"""
    names = [f"${{Alarm{number}}}" for number in range(count)]
    arguments = {"AlarmNames": names, "AlarmTypes": ["MetricAlarm", "CompositeAlarm"], "MaxRecords": 100}
    return task("aws-sdk:cloudwatch:describeAlarms", arguments, next=next, catch=STOP, assign={"fault": js(found)})


def _metrics(variants: list[str], *, since: str, period: int, next: str, assign: dict[str, str]) -> State:
    arguments = {
        "MetricDataQueries": metric_queries(variants, period),
        "StartTime": js(since),
        "EndTime": js("$fromMillis($millis() + 60000)"),
    }
    return task("aws-sdk:cloudwatch:getMetricData", arguments, next=next, catch=STOP, assign=assign)
