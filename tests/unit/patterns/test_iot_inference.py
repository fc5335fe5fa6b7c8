"""IotInference: everything is wired, in little code and few jsii crossings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms

from cdk_ml_lens import DeviceFleet, Feature, Ingestion, IotInference, ModelArtifact, ModelSource, PropError, Variant
from tests.unit.templates import Template

# What a synth of the pattern may cost in round trips to the jsii kernel; one costs about 0.3 ms.
CROSSING_BUDGET = 600
STATEFUL = {
    "AWS::IoT::ThingGroup",
    "AWS::KMS::Key",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::SageMaker::Endpoint",
}


def make(stack: cdk.Stack, model_file: Path, **props: object) -> IotInference:
    artifact = ModelArtifact.from_file(stack, "Model", model_file)
    return IotInference(
        stack,
        "Inference",
        variants=[Variant(name="primary", model=ModelSource.sklearn(artifact))],
        features=[Feature(name="temperature")],
        **props,  # type: ignore[arg-type]
    )


def test_minimal_shares_one_key_and_one_bucket(
    stack: cdk.Stack, model_file: Path, synth: Callable[[cdk.Stack], Template]
) -> None:
    make(stack, model_file)
    template = synth(stack)
    assert len(template.of_type("AWS::KMS::Key")) == 1
    assert len(template.of_type("AWS::S3::Bucket")) == 2  # data and its access logs
    alarms = template.of_type("AWS::CloudWatch::Alarm").values()
    assert all(alarm["Properties"]["AlarmActions"] for alarm in alarms)


def test_full_takes_key_mails_prefix_and_ingestion(
    stack: cdk.Stack, model_file: Path, synth: Callable[[cdk.Stack], Template]
) -> None:
    make(
        stack,
        model_file,
        encryption_key=kms.Key(stack, "Mine"),
        emails=["ops@example.com"],
        fleet=DeviceFleet(stack, "Plant", topic_prefix="plant/line-1"),
        ingestion=Ingestion.streamed(),
    )
    template = synth(stack)
    assert len(template.of_type("AWS::KMS::Key")) == 1
    assert len(template.of_type("AWS::SNS::Subscription")) == 2
    sql = template.only("AWS::IoT::TopicRule")["TopicRulePayload"]["Sql"]
    assert "topic(3) AS device_id" in sql
    assert "FROM 'plant/line-1/+/telemetry'" in sql


def test_fails_before_anything_is_made(stack: cdk.Stack, model_file: Path) -> None:
    with pytest.raises(PropError, match="emails must be e-mail addresses"):
        make(stack, model_file, emails=["nobody"])


def test_stateful_resources_keep_their_logical_ids(
    stack: cdk.Stack, model_file: Path, synth: Callable[[cdk.Stack], Template]
) -> None:
    make(stack, model_file)
    template = synth(stack)
    assert {id: res["Type"] for id, res in template.resources.items() if res["Type"] in STATEFUL} == {
        "InferenceKey8CC7CFB0": "AWS::KMS::Key",
        "InferenceAlarmsTopicE9567211": "AWS::SNS::Topic",
        "InferenceAlertsTopic2D6DFDEF": "AWS::SNS::Topic",
        "InferenceStorageAccessLogsFD0839C6": "AWS::S3::Bucket",
        "InferenceStorageDataFF46998B": "AWS::S3::Bucket",
        "InferenceFleetThingGroup20BB40C7": "AWS::IoT::ThingGroup",
        "InferenceEndpoint74DCE396": "AWS::SageMaker::Endpoint",
        "InferenceScoringDeadLettersQueueBDF3D062": "AWS::SQS::Queue",
        "InferenceScoringQueueB7D373E1": "AWS::SQS::Queue",
    }


def test_crossings_stay_within_budget(stack: cdk.Stack, model_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from jsii._kernel.providers.process import _NodeProcess

    crossings = 0
    send = _NodeProcess.send

    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal crossings
        crossings += 1
        return send(self, *args, **kwargs)

    monkeypatch.setattr(_NodeProcess, "send", counted)
    make(stack, model_file)
    assert 50 < crossings <= CROSSING_BUDGET, f"{crossings} crossings"


def test_nag_is_clean(stack: cdk.Stack, model_file: Path, nag: Callable[[cdk.Stack], list[str]]) -> None:
    make(stack, model_file)
    assert nag(stack) == []
