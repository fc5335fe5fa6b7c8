"""Builders of Amazon States Language: what every task has, and expressions on one line."""

from __future__ import annotations

from cdk_ml_lens.core import asl


def test_an_expression_is_on_one_line() -> None:
    assert asl.js("$a +\n   $b") == "{% $a + $b %}"
    assert asl.text('say "no"') == '"say \\"no\\""'


def test_a_task_times_out_retries_and_catches() -> None:
    catch = [asl.caught("StepFailed", "Step", "Announce")]
    state = asl.task("lambda:invoke", {"FunctionName": "f"}, next="After", catch=catch, assign={"a": "{% 1 %}"})
    assert state["TimeoutSeconds"] == asl.TASK_SECONDS
    assert state["Resource"].endswith(":states:::lambda:invoke")
    assert state["Retry"] == [{"ErrorEquals": ["States.ALL"], **asl.BUSY}]
    assert state["Catch"][0]["ErrorEquals"] == ["States.ALL"]
    assert set(state["Catch"][0]["Assign"]) == {"error", "step", "reason"}
    assert state["Assign"] == {"a": "{% 1 %}"}


def test_a_task_that_must_not_be_repeated_is_not() -> None:
    state = asl.task("lambda:invoke", {}, next="After", catch=[], retry=asl.NEVER, seconds=5)
    assert "Retry" not in state
    assert "Assign" not in state
    assert state["TimeoutSeconds"] == 5


def test_ends_and_choices() -> None:
    assert asl.choice(("$a = 1", "One"), default="Other") == {
        "Type": "Choice",
        "Choices": [{"Condition": "{% $a = 1 %}", "Next": "One"}],
        "Default": "Other",
    }
    assert asl.fail("E", "c") == {"Type": "Fail", "Error": "E", "Cause": "c"}
    assert asl.succeed(a=1) == {"Type": "Pass", "Output": {"a": 1}, "End": True}
    assert asl.note(next="N", a=1) == {"Type": "Pass", "Assign": {"a": 1}, "Next": "N"}


def test_an_event_goes_to_the_default_bus() -> None:
    state = asl.put_event(source="s", detail_type="t", detail={"a": 1}, next="N", catch=[])
    (entry,) = state["Arguments"]["Entries"]
    assert entry == {"Source": "s", "DetailType": "t", "Detail": {"a": 1}, "EventBusName": "default"}
