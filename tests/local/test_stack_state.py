"""Waiting for a stack and a change set: refusals are told with CloudFormation's reason, silence ends."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_ml_lens.local import DeployError, stack_state


class FakeCloudFormation:
    """Always gives the same answer, or raises it; it has no events and knows no names."""

    def __init__(self, answer: dict[str, Any] | ClientError) -> None:
        self._answer = answer

    def describe_change_set(self, **_named: str) -> dict[str, Any]:
        assert isinstance(self._answer, dict)
        return self._answer

    def describe_stacks(self, **_named: str) -> dict[str, Any]:
        if isinstance(self._answer, ClientError):
            raise self._answer
        return {"Stacks": [self._answer]}


def error(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeStacks")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack_state, "WAIT_SECONDS", 0.05)
    monkeypatch.setattr(stack_state, "POLL_SECONDS", 0.01)


def test_a_refused_change_set_is_told_with_its_reason() -> None:
    cloudformation = FakeCloudFormation({"Status": "FAILED", "StatusReason": "Template error: no such parameter"})
    with pytest.raises(DeployError, match="stack Plant is FAILED: change set: Template error: no such parameter"):
        stack_state.change_set_ready(cloudformation, "Plant", "one")


@pytest.mark.parametrize("reason", stack_state.NO_CHANGES)
def test_a_change_set_without_changes_is_no_failure(reason: str) -> None:
    cloudformation = FakeCloudFormation({"Status": "FAILED", "StatusReason": f"The submitted information {reason}."})
    assert stack_state.change_set_ready(cloudformation, "Plant", "one") is False


@pytest.mark.usefixtures("impatient")
def test_a_change_set_that_is_never_ready_ends_the_wait() -> None:
    with pytest.raises(DeployError, match="stack Plant is UNKNOWN: the change set was not ready in time"):
        stack_state.change_set_ready(FakeCloudFormation({"Status": "CREATE_IN_PROGRESS"}), "Plant", "one")


@pytest.mark.usefixtures("impatient")
def test_a_stack_that_never_rests_ends_the_wait() -> None:
    cloudformation = FakeCloudFormation({"StackStatus": "UPDATE_IN_PROGRESS"})
    with pytest.raises(DeployError, match="stack Plant is UNKNOWN: no end within"):
        stack_state.wait(cloudformation, "arn", "Plant", frozenset(), good=("UPDATE_COMPLETE",))


def test_a_stack_that_is_gone_counts_as_deleted() -> None:
    gone = FakeCloudFormation(error("ValidationError", "Stack with id Plant does not exist"))
    stack_state.wait(gone, "arn", "Plant", frozenset(), good=("DELETE_COMPLETE",))


def test_a_refusal_is_not_taken_for_a_missing_stack() -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        stack_state.find(FakeCloudFormation(error("AccessDenied", "not yours")), "Plant")
