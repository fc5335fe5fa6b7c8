"""MlopsLoop and its stack: the parts are wired to each other, on one key, and what would break the loop is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns

from cdk_ml_lens import (
    Algorithm,
    AnswerCheck,
    ApprovalPolicy,
    Column,
    DataLake,
    EndpointShape,
    FeatureSet,
    LakePipeline,
    LoopSettings,
    MetricBound,
    MlopsLoop,
    ModelGate,
    PropError,
    RetrainingCause,
    RetrainingPolicy,
    Sensor,
    SyntheticRequest,
    Table,
)
from stacks.mlops_loop import MlopsLoopStack
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]
FEATURES = FeatureSet.standard(sensors=[Sensor(name="temperature")])
TYPES = {"reading_id": "string", "device_id": "string", "event_time": "timestamp", "received_at": "timestamp"}


def make(stack: cdk.Stack, **props: Any) -> MlopsLoop:
    lake = DataLake(stack, "Lake")
    columns = [Column(name=name, type=type) for name, type in {**TYPES, "temperature": "double"}.items()]
    source = lake.add_table(Table(name="telemetry", columns=columns))
    given: dict[str, Any] = {
        "preparation": LakePipeline(stack, "Preparation", lake=lake, source=source, feature_set=FEATURES),
        "algorithm": Algorithm.isolation_forest(),
        "gate": ModelGate(bounds=[MetricBound(metric="alert_rate", bound=0.05, direction="at_most")]),
        "verification": SyntheticRequest(body={"features": [1.0] * 7}, expect=AnswerCheck(path="score", minimum=0)),
    }
    return MlopsLoop(stack, "Loop", **given | props)


def variables(template: Template, handler: str) -> dict[str, Any]:
    (found,) = [
        item["Properties"]["Environment"]["Variables"]
        for item in template.of_type("AWS::Lambda::Function").values()
        if item["Properties"]["Handler"] == f"handlers.{handler}.handler"
    ]
    return dict(found)


def machine(template: Template, part: str) -> str:
    """Return the logical id of a part's state machine."""
    (found,) = [id for id in template.of_type("AWS::StepFunctions::StateMachine") if id.startswith(part)]
    return found


def test_minimal_retrains_on_drift_and_new_data_after_the_lakes_own_preparation(stack: cdk.Stack, synth: Synth) -> None:
    loop = make(stack)
    template = synth(stack)
    given = variables(template, "start_retraining")
    assert given["MACHINE_ARN"] == {"Ref": machine(template, "LoopTraining")}
    assert given["PREPARATION_ARN"] == {"Ref": machine(template, "PreparationMachine")}
    assert given["DATASET_PREFIX"] == loop.dataset.prefix
    patterns = [rule["Properties"]["EventPattern"] for rule in template.of_type("AWS::Events::Rule").values()]
    (alarm,) = [pattern["resources"] for pattern in patterns if pattern["source"] == ["aws.cloudwatch"]]
    (drift,) = [
        id
        for id, item in template.of_type("AWS::CloudWatch::Alarm").items()
        if item["Properties"].get("MetricName") == "DriftDetected"
    ]
    assert alarm == [{"Fn::GetAtt": [drift, "Arn"]}]
    arrivals = [pattern for pattern in patterns if pattern.get("detail-type") == ["Object Created"]]
    keys = [json.dumps(pattern["detail"]["object"]["key"]) for pattern in arrivals]
    assert [key for key in keys if "_datasets/*/dataset.json" in key]


def test_the_preparation_ends_with_a_dataset_and_a_deployment_with_a_baseline(stack: cdk.Stack, synth: Synth) -> None:
    loop = make(stack)
    template = synth(stack)
    states = json.dumps(template.resources[machine(template, "PreparationMachine")])
    assert "Export" in states
    told = [
        rule["Properties"]
        for rule in template.of_type("AWS::Events::Rule").values()
        if rule["Properties"]["EventPattern"].get("detail-type") == ["Deployment Succeeded"]
    ]
    (rule,) = told
    assert rule["EventPattern"]["detail"] == {"endpoint": [loop.deployment.endpoint_name]}
    assert rule["Targets"][0]["Arn"] == {"Ref": machine(template, "LoopBaseline")}


def test_the_loop_has_one_key_and_the_lake_its_own(stack: cdk.Stack, synth: Synth) -> None:
    make(stack)
    assert len(synth(stack).of_type("AWS::KMS::Key")) == 2


def test_full_takes_key_topic_and_settings(stack: cdk.Stack, synth: Synth) -> None:
    settings = LoopSettings(
        approval=ApprovalPolicy.automatic(),
        causes=[RetrainingCause.every(hours=24)],
        policy=RetrainingPolicy(cool_down_minutes=5, minimum_new_rows=7),
        shape=EndpointShape(instance_type="ml.c7i.large"),
    )
    make(stack, settings=settings, encryption_key=kms.Key(stack, "Mine"), alarm_topic=sns.Topic(stack, "Ops"))
    template = synth(stack)
    given = variables(template, "start_retraining")
    assert (given["COOL_DOWN_SECONDS"], given["MINIMUM_NEW_ROWS"]) == ("300", "7")
    assert variables(template, "register_candidate")["APPROVAL_STATUS"] == "Approved"
    assert len(template.of_type("AWS::KMS::Key")) == 2
    alarms = {id: item["Properties"] for id, item in template.of_type("AWS::CloudWatch::Alarm").items()}
    silent = [id for id, alarm in alarms.items() if id.startswith("Loop") and "AlarmActions" not in alarm]
    assert silent == []


def test_fails_without_captured_traffic_which_drift_is_looked_for_in() -> None:
    with pytest.raises(PropError, match="shape must have a capture for loop settings"):
        LoopSettings(shape=EndpointShape(capture=None))


def test_nag_is_clean(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    make(stack)
    assert nag(stack) == []


def test_the_stack_takes_its_settings_from_the_context(app: cdk.App, synth: Synth) -> None:
    for name, value in {"approval": "automatic", "causes": "weekly", "cool_down_minutes": "7"}.items():
        app.node.set_context(name, value)
    template = synth(MlopsLoopStack(app, "MlopsLoop"))
    assert variables(template, "start_retraining")["COOL_DOWN_SECONDS"] == "420"
    assert variables(template, "register_candidate")["APPROVAL_STATUS"] == "Approved"
    schedules = [
        item["Properties"]["ScheduleExpression"] for item in template.of_type("AWS::Scheduler::Schedule").values()
    ]
    assert "cron(0 3 ? * MON *)" in schedules
    patterns = json.dumps(
        [rule["Properties"]["EventPattern"] for rule in template.of_type("AWS::Events::Rule").values()]
    )
    assert "_datasets/*/dataset.json" not in patterns


def test_the_stacks_rule_scores_readings_by_the_loops_endpoint(app: cdk.App, synth: Synth) -> None:
    stack = MlopsLoopStack(app, "MlopsLoop")
    template = synth(stack)
    assert variables(template, "score_readings")["ENDPOINT_NAME"] == stack.loop.deployment.endpoint_name
