"""TrainingDataset: the last step of a pipeline, with rights on its own prefix and no table to publish."""

from __future__ import annotations

import json
from collections.abc import Callable

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from cdk_ml_lens import DataLake, FeatureSet, LakePipeline, NotifyTopic, Sensor, TrainingDataset, telemetry_table
from tests.unit.templates import Template


def make(stack: cdk.Stack, *, with_topic: bool = False) -> TrainingDataset:
    sensors = [Sensor(name="temperature")]
    lake = DataLake(stack, "Lake")
    source = lake.add_table(telemetry_table(sensors))
    features = FeatureSet.standard(sensors=sensors)
    pipeline = LakePipeline(stack, "Pipeline", lake=lake, source=source, feature_set=features)
    topic = NotifyTopic(stack, "Alarms").topic if with_topic else None
    return TrainingDataset(stack, "Dataset", pipeline=pipeline, alarm_topic=topic)


def test_minimal_exports_the_features_as_the_last_step(
    stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]
) -> None:
    dataset = make(stack)
    template = synth(stack)
    jobs = template.of_type("AWS::Glue::Job").values()
    (arguments,) = [a for a in (job["Properties"]["DefaultArguments"] for job in jobs) if "--datasets" in a]
    assert "_datasets/" in json.dumps(arguments["--datasets"])
    assert ".features" in json.dumps(arguments["--source"])
    definition = json.dumps(template.only("AWS::StepFunctions::StateMachine")["DefinitionString"])
    assert definition.count("glue:startJobRun.sync") == 4
    assert "ExportFailed" in definition
    assert stack.resolve(dataset.manifest_uri)["Fn::Join"][1][-1] == "/_datasets/current.json"


def test_failures_reach_the_topic(stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]) -> None:
    make(stack, with_topic=True)
    alarms = synth(stack).of_type("AWS::CloudWatch::Alarm")
    (own,) = [alarm for name, alarm in alarms.items() if name.startswith("DatasetExport")]
    assert own["Properties"]["AlarmActions"]


def test_a_reader_reads_datasets_and_nothing_else(stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]) -> None:
    role = iam.Role(stack, "Reader", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
    make(stack).grant_read(role)
    policies = synth(stack).of_type("AWS::IAM::Policy")
    (own,) = [policy["Properties"] for name, policy in policies.items() if name.startswith("Reader")]
    actions = {action for s in own["PolicyDocument"]["Statement"] for action in [s["Action"]]}
    assert actions == {"kms:Decrypt", "s3:GetObject", "s3:GetBucketLocation", "s3:ListBucket"}
    assert json.dumps(own).count("_datasets/*") == 2


def test_nag_is_clean(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    make(stack)
    assert nag(stack) == []
