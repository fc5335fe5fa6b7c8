"""The definition of a traffic shift: linted, every state reachable, every error caught, no way round a check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cdk_ml_lens import AnswerCheck, ShiftChecks, ShiftPlan, SyntheticRequest
from cdk_ml_lens.hosting.shift_machine import definition
from tests.unit.hosting import shift_graph as graph

REQUEST = SyntheticRequest(body={"features": [1, 2]}, expect=AnswerCheck(path="score", minimum=0))
TESTED = ShiftChecks(requests=(REQUEST,))
MACHINES: dict[str, dict[str, Any]] = {
    "blue_green": definition(ShiftPlan.blue_green(retire_instances=1), TESTED, alarm_count=2),
    "canary": definition(ShiftPlan.canary(), ShiftChecks(), alarm_count=0),
    "linear": definition(ShiftPlan.linear(), ShiftChecks(comparison=None), alarm_count=1),
    "ab": definition(ShiftPlan.ab(), TESTED, alarm_count=1),
}
# Ends of an execution, and what each means for the weights.
UNTOUCHED = {"ShiftRefused", "ShiftStopped", "NothingToRestore"}
MOVED = {"ShiftFinished"}
BACK = {"Restored", "ShiftRestored"}
OTHERS = {"ShiftLost", "RestoreFailed"}


@pytest.fixture(params=sorted(MACHINES))
def machine(request: pytest.FixtureRequest) -> dict[str, Any]:
    return MACHINES[request.param]


def states(machine: dict[str, Any]) -> dict[str, graph.State]:
    return dict(machine["States"])


def test_cfn_lint_finds_nothing(machine: dict[str, Any], tmp_path: Path) -> None:
    from cfnlint import lint
    from cfnlint.config import ManualArgs

    names = dict.fromkeys(("Endpoint", "Table", "Alarm0", "Alarm1"), "x")
    text = json.dumps(graph.as_template(machine, **names))
    assert lint(text, config=ManualArgs(regions=["us-east-1"])) == []
    broken = text.replace('\\"ReadClaim\\": {\\"Type\\": \\"Task\\"', '\\"ReadClaim\\": {\\"Type\\": \\"Tusk\\"')
    assert broken != text
    assert [match.rule.id for match in lint(broken, config=ManualArgs(regions=["us-east-1"]))] == ["E3601"]


def test_every_state_is_reachable_and_every_target_exists(machine: dict[str, Any]) -> None:
    assert graph.reachable(states(machine), machine["StartAt"]) == set(states(machine))


def test_every_end_is_known(machine: dict[str, Any]) -> None:
    ends = {name for name, state in states(machine).items() if state["Type"] in ("Succeed", "Fail")}
    assert ends == UNTOUCHED | MOVED | BACK | OTHERS


def test_every_call_times_out_and_catches_everything(machine: dict[str, Any]) -> None:
    for name, state in graph.every_state(machine):
        if state["Type"] in ("Task", "Map"):
            assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name
        if state["Type"] == "Task":
            assert state["TimeoutSeconds"] <= 70, name
            assert ("Retry" in state) == (name != "Ask"), name  # a synthetic request that fails is a finding


def test_only_states_with_a_catcher_compute_what_could_fail(machine: dict[str, Any]) -> None:
    safe = {"Choices", "Seconds", "Assign", "Error", "Cause", "Output"}
    for name, state in states(machine).items():
        if state["Type"] in ("Task", "Map") or name == "ReadRequest":  # the latter runs before anything is claimed
            continue
        assert set(state) - {"Type", "Next", "Default"} <= safe, name
        for expression in graph.expressions(state):
            assert "$states" not in expression, name
            assert "$parse" not in expression, name


def test_every_variable_is_set_before_it_is_read(machine: dict[str, Any]) -> None:
    first = set(states(machine)["ReadRequest"]["Assign"])
    later = graph.assigned_variables(machine) - first
    for name, state in graph.every_state(machine):
        for expression in graph.expressions(state):
            assert graph.used_variables(expression) <= first | later, (name, expression)
    # these are set by the task right before the choice that reads them
    assert later <= {"claim", "seen", "status", "reached", "resume"}


def test_no_lambda_function_takes_part(machine: dict[str, Any]) -> None:
    assert "lambda" not in json.dumps(machine).lower()


def test_weights_change_only_with_a_claim_and_after_the_step_is_on_record(machine: dict[str, Any]) -> None:
    start = machine["StartAt"]
    changing = {"SetWeights", "Restore"} | ({"Retire"} & set(states(machine)))
    assert changing <= graph.reachable(states(machine), start)
    assert not changing & graph.reachable(states(machine), start, without=("Claim", "TakeOver"))
    assert "SetWeights" not in graph.reachable(states(machine), start, without=("RecordStep",))


@pytest.mark.parametrize(
    ("name", "check"),
    [
        ("blue_green", "SyntheticPassed"),
        ("blue_green", "QuietBefore"),
        ("ab", "SyntheticPassed"),
        ("linear", "QuietBefore"),
        ("canary", "ReadBaseline"),
    ],
)
def test_no_way_leads_round_a_check(name: str, check: str) -> None:
    machine = MACHINES[name]
    assert "SetWeights" not in graph.reachable(states(machine), machine["StartAt"], without=(check,))
    assert "AnnouncePassed" not in graph.reachable(states(machine), machine["StartAt"], without=("Judge",))
    advancing = {name for name, state in states(machine).items() if "NextStep" in graph.following(state)}
    assert advancing <= {"AnnouncePassed", "AnnounceTested", "ReadBaseline", "QuietBefore", "AnnounceStarted"}


def test_an_error_after_the_weights_have_moved_leads_back(machine: dict[str, Any]) -> None:
    moved = graph.reachable(states(machine), "SetWeights", without=("RecordStop", "Finish", "Retire"))
    for name in moved:
        for catcher in states(machine)[name].get("Catch", ()):
            assert catcher["Next"] in {"RecordStop", "ShiftLost", "Bake"}, name
    after = graph.reachable(states(machine), "RecordStop", without=("ReadClaim",))
    assert after & {"ShiftFinished", "SetWeights"} == set()
    assert {"Restore", "RestoreFailed"} | BACK <= after


def test_every_decision_is_announced_before_the_end(machine: dict[str, Any]) -> None:
    announcing = {name for name in states(machine) if name.startswith("Announce")}
    reached = graph.reachable(states(machine), machine["StartAt"], without=tuple(announcing))
    silent = reached & (UNTOUCHED | MOVED | BACK)
    assert silent == {"NothingToRestore"}


def test_the_longest_way_fits_into_the_time_out(machine: dict[str, Any]) -> None:
    plan = {"blue_green": 30 * 3, "canary": 3 * 15 * 3, "linear": 5 * 10 * 3, "ab": 4 * 60 * 3}
    (minutes,) = (value for name, value in plan.items() if MACHINES[name] is machine)
    assert minutes * 60 < machine["TimeoutSeconds"] <= 31_536_000


def test_the_partition_is_in_every_integration() -> None:
    china = definition(ShiftPlan.blue_green(), TESTED, alarm_count=1, partition="aws-cn")
    resources = [state["Resource"] for _, state in graph.every_state(china) if state["Type"] == "Task"]
    assert all(resource.startswith("arn:aws-cn:states:::") for resource in resources)
    assert any("invokeEndpoint" in resource for resource in resources)


def test_without_alarms_none_are_described() -> None:
    # an empty list of names would mean: all alarms of the account
    calls = json.dumps(MACHINES["canary"])
    assert "describeAlarms" not in calls
    assert MACHINES["blue_green"]["States"]["ReadAlarms"]["Arguments"]["AlarmNames"] == ["${Alarm0}", "${Alarm1}"]
