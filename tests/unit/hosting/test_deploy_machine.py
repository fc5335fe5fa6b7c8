"""The definition of a deployment: linted, every state reachable, every error caught, no way round a check."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cdk_ml_lens import AnswerCheck, SyntheticRequest
from cdk_ml_lens.hosting.deploy_asl import POLL_SECONDS
from cdk_ml_lens.hosting.deploy_machine import definition
from tests.unit.hosting import shift_graph as graph

GUARDS = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "a"}]}}
COMMON: dict[str, Any] = {
    "guards": GUARDS,
    "timeout_minutes": 120,
    "request": SyntheticRequest(body={"features": [1]}, expect=AnswerCheck(path="score", minimum=0)),
    "prepare_arn": "arn:aws:lambda:eu-west-1:1:function:prepare",
    "partition": "aws",
}
RECORD = "arn:aws:lambda:eu-west-1:1:function:record"
MACHINES = {
    "approved": definition("approved", record_arn=RECORD, **COMMON),
    "rebuild": definition("rebuild", record_arn=None, **COMMON),
    "shared": definition("approved", record_arn=None, **COMMON),
}
TOUCHING = {"Update", "Create"}


@pytest.fixture(params=sorted(MACHINES))
def machine(request: pytest.FixtureRequest) -> dict[str, Any]:
    return MACHINES[request.param]


def states(machine: dict[str, Any]) -> dict[str, graph.State]:
    return dict(machine["States"])


def test_cfn_lint_finds_nothing(machine: dict[str, Any]) -> None:
    from cfnlint import lint
    from cfnlint.config import ManualArgs

    text = json.dumps(graph.as_template(machine, Endpoint="x"))
    assert lint(text, config=ManualArgs(regions=["us-east-1"])) == []


def test_every_state_is_reachable_and_every_target_exists(machine: dict[str, Any]) -> None:
    assert graph.reachable(states(machine), machine["StartAt"]) == set(states(machine))


def test_every_end_is_known(machine: dict[str, Any]) -> None:
    ends = {name for name, state in states(machine).items() if state["Type"] in ("Succeed", "Fail")}
    assert ends == {"Deployed", "Failed", "Untold"}


def test_every_call_times_out_and_catches_everything(machine: dict[str, Any]) -> None:
    for name, state in graph.every_state(machine):
        if state["Type"] in ("Task", "Map"):
            assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name
        if state["Type"] == "Task":
            assert state["TimeoutSeconds"] <= 900, name


def test_every_variable_is_set_before_it_is_read(machine: dict[str, Any]) -> None:
    first = set(states(machine)["ReadRequest"]["Assign"])
    assert graph.assigned_variables(machine) <= first
    for name, state in graph.every_state(machine):
        for expression in graph.expressions(state):
            assert graph.used_variables(expression) <= first, (name, expression)


@pytest.mark.parametrize("check", ["Turn", "Prepare", "ReadEndpoint", "MakeModel", "MakeConfig"])
def test_no_way_leads_to_the_endpoint_round_a_check(machine: dict[str, Any], check: str) -> None:
    assert not TOUCHING & graph.reachable(states(machine), machine["StartAt"], without=(check,))


@pytest.mark.parametrize("check", ["Verify", "Verified", "AnnounceSucceeded"])
def test_no_deployment_succeeds_unverified_or_untold(machine: dict[str, Any], check: str) -> None:
    assert "Deployed" not in graph.reachable(states(machine), machine["StartAt"], without=(check,))


def test_an_approved_deployment_is_recorded_before_it_is_told() -> None:
    assert "Deployed" not in graph.reachable(states(MACHINES["approved"]), "ReadRequest", without=("Record",))
    assert all("Record" not in states(MACHINES[name]) for name in ("rebuild", "shared"))


def test_a_bad_answer_leads_back_and_never_to_success(machine: dict[str, Any]) -> None:
    after = graph.reachable(states(machine), "Unverified")
    assert {"Restore", "Discard", "ServesAsBefore", "RestoreFailed"} <= after
    assert not {"Deployed", "Update", "Create", "Record"} & after


def test_an_endpoint_is_deleted_only_where_it_serves_nobody(machine: dict[str, Any]) -> None:
    deleting = {
        name for name, state in states(machine).items() if state.get("Resource", "").endswith(":deleteEndpoint")
    }
    assert deleting == {"DeleteFailed", "Discard"}
    leading = {name: state for name, state in states(machine).items() if deleting & graph.following(state)}
    assert set(leading) == {"EndpointSettled", "Unverified"}
    (condition,) = [
        rule["Condition"] for rule in leading["EndpointSettled"]["Choices"] if rule["Next"] == "DeleteFailed"
    ]
    assert condition == "{% $status = 'Failed' %}"
    assert [rule["Next"] for rule in leading["Unverified"]["Choices"]] == ["VerificationFailed", "Restore"]


def test_only_what_served_before_is_swept_and_only_once_the_new_one_is_announced(machine: dict[str, Any]) -> None:
    sweeping = {name for name in states(machine) if name.startswith("Sweep")}
    assert len(sweeping) == 2
    assert not sweeping & graph.reachable(states(machine), machine["StartAt"], without=("AnnounceSucceeded",))
    for name in sweeping:
        assert "$previous" in json.dumps(states(machine)[name]["Arguments"])
        assert [catcher["Next"] for catcher in states(machine)[name]["Catch"]] == ["Deployed"]
    (rule,) = states(machine)["SomethingOld"]["Choices"]
    assert "$previous != $live" in rule["Condition"]
    assert "$plan.own_prefix" in rule["Condition"]


def test_every_failure_is_announced(machine: dict[str, Any]) -> None:
    reached = graph.reachable(states(machine), machine["StartAt"], without=("AnnounceFailed",))
    assert "Failed" not in reached


def test_an_update_is_guarded(machine: dict[str, Any]) -> None:
    assert states(machine)["Update"]["Arguments"]["DeploymentConfig"] == GUARDS
    assert "DeploymentConfig" not in states(machine)["Restore"]["Arguments"]  # going back is not to be rolled back


def test_the_history_of_the_longest_way_fits(machine: dict[str, Any]) -> None:
    """Each look is a wait and a call, 10 events with its choice; an execution ends with an error at 25,000."""
    waited = machine["TimeoutSeconds"] // states(machine)["WaitForTurn"]["Seconds"]
    rules = states(machine)["RolledOut"]["Choices"]
    (rule,) = [part["Condition"] for part in rules if part["Next"] == "WaitForRollout"]
    looks = int(rule.split("$polls < ")[1].split(" ")[0])
    assert looks * POLL_SECONDS >= 120 * 60
    assert (waited + looks) * 10 < 25_000


def test_partition_is_the_stacks_own() -> None:
    text = json.dumps(definition("approved", record_arn=None, **{**COMMON, "partition": "aws-cn"})["States"])
    assert "arn:aws-cn:states:::aws-sdk:sagemaker:createModel" in text
    assert "arn:aws:states" not in text
