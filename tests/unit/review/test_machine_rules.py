"""Rules of Step Functions: logs, traces, timeouts, failures."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.review.reports import findings

ARN = {"Ref": "Machine"}
CATCH: dict[str, Any] = {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}]}


def task(resource: str = "arn:aws:states:::glue:startJobRun.sync", **more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource, "End": True, **more}


def machine(*, states: dict[str, Any] | None = None, limit: int | None = None, **properties: Any) -> dict[str, Any]:
    definition: dict[str, Any] = {"StartAt": "Do", "States": {"Do": task()} if states is None else states}
    if limit is not None:
        definition["TimeoutSeconds"] = limit
    body = {"DefinitionString": json.dumps(definition), **properties}
    return {"Machine": ("AWS::StepFunctions::StateMachine", body)}


def test_machines_that_do_not_log_everything_are_found() -> None:
    assert findings("SF1", machine()) == ["Machine"]
    assert findings("SF1", machine(LoggingConfiguration={"Level": "ERROR"})) == ["Machine"]


def test_the_choice_about_execution_data_is_made_either_way() -> None:
    assert findings("SF1", machine(LoggingConfiguration={"Level": "ALL"})) == ["Machine[ExecutionData]"]
    for chosen in (True, False):
        logging = {"Level": "ALL", "IncludeExecutionData": chosen}
        assert findings("SF1", machine(LoggingConfiguration=logging)) == []


@pytest.mark.parametrize(
    "logging", [{"Fn::If": ["Prod", {}, {}]}, {"Level": {"Ref": "L"}, "IncludeExecutionData": True}]
)
def test_logging_that_waits_for_cloudformation_passes(logging: dict[str, Any]) -> None:
    assert findings("SF1", machine(LoggingConfiguration=logging)) == []


def test_machines_without_traces_are_found() -> None:
    assert findings("SF2", machine()) == ["Machine"]
    assert findings("SF2", machine(TracingConfiguration={"Enabled": "true"})) == []


def test_a_task_that_may_wait_for_ever_is_found_inside_a_map_too() -> None:
    inner = {"Each": {"Type": "Map", "ItemProcessor": {"States": {"Do": task()}}}}
    assert findings("SF3", machine()) == ["Machine"]
    assert findings("SF3", machine(states=inner)) == ["Machine"]


@pytest.mark.parametrize(
    "state",
    [
        task(TimeoutSeconds=60),
        task(HeartbeatSeconds=60),
        task(resource="arn:aws:states:::lambda:invoke"),
        {"Type": "Wait", "Seconds": 5},
    ],
)
def test_tasks_that_end_pass(state: dict[str, Any]) -> None:
    assert findings("SF3", machine(states={"Do": state})) == []


def test_a_timeout_of_the_machine_is_enough() -> None:
    assert findings("SF3", machine(limit=3600)) == []


def test_a_definition_from_elsewhere_passes() -> None:
    elsewhere = {"Machine": ("AWS::StepFunctions::StateMachine", {"DefinitionS3Location": {"Bucket": "b"}})}
    assert findings("SF3", elsewhere) == []
    assert findings("SF4", elsewhere) == []


def test_a_loose_task_is_found_unless_somebody_hears_of_it() -> None:
    assert findings("SF4", machine()) == ["Machine"]
    assert findings("SF4", machine(states={"Do": task(**CATCH)})) == []
    alarm = {"Alarm": ("AWS::CloudWatch::Alarm", {"Dimensions": [{"Name": "StateMachineArn", "Value": ARN}]})}
    assert findings("SF4", {**machine(), **alarm}) == []


def test_an_alarm_or_event_rule_of_another_stack_is_enough() -> None:
    alarm = {"Alarm": ("AWS::CloudWatch::Alarm", {"Namespace": "AWS/States"})}
    assert findings("SF4", machine(), alarm) == []
    rule = {"Rule": ("AWS::Events::Rule", {"EventPattern": {"source": ["aws.states"]}})}
    assert findings("SF4", machine(), rule) == []
    off = {"Rule": ("AWS::Events::Rule", {"EventPattern": {"source": ["aws.states"]}, "State": "DISABLED"})}
    assert findings("SF4", machine(), off) == ["Machine"]
