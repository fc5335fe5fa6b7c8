"""Rules on the life of services: types, properties and calls, and a table that can be trusted."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from typing import Any

import pytest

from cdk_ml_lens.review.lifecycle import Lifecycle, State, uses
from cdk_ml_lens.review.lifecycle_closed import CLOSED
from cdk_ml_lens.review.lifecycle_closed_sagemaker import CLOSED_OF_SAGEMAKER
from cdk_ml_lens.review.lifecycle_ended import ENDED
from cdk_ml_lens.review.template import Template
from tests.unit.review.reports import findings

TABLE: tuple[Lifecycle, ...] = (*ENDED, *CLOSED, *CLOSED_OF_SAGEMAKER)


def one(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Used": (kind, properties)}


def calling(service: str, operation: str, **arguments: Any) -> dict[str, Any]:
    state = {"Type": "Task", "Resource": f"arn:aws:states:::{service}:{operation}", "Parameters": arguments}
    return {"Used": ("AWS::StepFunctions::StateMachine", {"DefinitionString": json.dumps({"States": {"Do": state}})})}


@pytest.mark.parametrize(
    ("resources", "key"),
    [
        (one("AWS::Pinpoint::App"), "Pinpoint"),
        (one("AWS::SageMaker::DeviceFleet"), "EdgeManager"),
        (one("AWS::KinesisAnalytics::Application"), "KinesisAnalyticsSql"),
        (one("AWS::KinesisAnalyticsV2::Application", RuntimeEnvironment="SQL-1_0"), "KinesisAnalyticsSql"),
        (one("AWS::IoT::TopicRule", TopicRulePayload={"Actions": [{"IotEvents": {}}]}), "IotEvents"),
        (
            one("AWS::SageMaker::EndpointConfig", ProductionVariants=[{"AcceleratorType": "ml.eia2.medium"}]),
            "ElasticInference",
        ),
        (calling("aws-sdk:iotevents", "createInput"), "IotEvents::Do"),
        (calling("aws-sdk:rekognition", "startPersonTracking"), "PersonPathing::Do"),
    ],
)
def test_what_ended_is_found(resources: dict[str, Any], key: str) -> None:
    assert findings("LC1", resources) == [f"Used[{key}]"]


@pytest.mark.parametrize(
    ("resources", "key"),
    [
        (one("AWS::SageMaker::MonitoringSchedule"), "ModelMonitor"),
        (one("AWS::SageMaker::EndpointConfig", ExplainerConfig={}), "Clarify"),
        (one("AWS::Glue::Job", Command={"Name": "glueray"}), "GlueRay"),
        (one("AWS::Rekognition::StreamProcessor", ConnectedHomeSettings={}), "RekognitionStreamingEvents"),
        (one("AWS::SageMaker::App", AppType="KernelGateway"), "StudioClassic"),
        (calling("sagemaker", "createLabelingJob.sync"), "GroundTruth::Do"),
        (calling("sagemaker", "createTrainingJob.sync", DebugHookConfig={"S3OutputPath": "s3://b"}), "Debugger::Do"),
    ],
)
def test_what_is_closed_to_new_customers_is_found(resources: dict[str, Any], key: str) -> None:
    assert findings("LC2", resources) == [f"Used[{key}]"]


@pytest.mark.parametrize(
    "resources",
    [
        one("AWS::GreengrassV2::ComponentVersion"),
        one("AWS::KinesisAnalyticsV2::Application", RuntimeEnvironment="FLINK-1_20"),
        one("AWS::IoT::TopicRule", TopicRulePayload={"Actions": [{"Kinesis": {}}]}),
        one("AWS::SageMaker::EndpointConfig", ProductionVariants=[{"InstanceType": "ml.inf2.xlarge"}]),
        one("AWS::Glue::Job", Command={"Name": "glueetl"}),
        one("AWS::Glue::Job", Command={"Name": {"Ref": "KindOfAParameter"}}),
        one("AWS::Rekognition::StreamProcessor", FaceSearchSettings={}),
        one("AWS::SageMaker::App", AppType="JupyterLab"),
        one("AWS::IoT::AccountAuditConfiguration"),
        calling("sagemaker", "createTrainingJob.sync", ProfilerConfig={"DisableProfiler": True}),
        calling("aws-sdk:rekognition", "detectLabels"),
    ],
)
def test_what_is_open_to_everyone_passes(resources: dict[str, Any]) -> None:
    assert findings("LC1", resources) + findings("LC2", resources) == []


def test_a_finding_names_date_replacement_and_source() -> None:
    template = Template({"Resources": {"App": {"Type": "AWS::Pinpoint::App"}}})
    (found,) = uses(template, ENDED)
    assert found.message == (
        "AWS::Pinpoint::App: Pinpoint ended (2026-10-30); use End User Messaging, SES v2 or SNS. "
        "https://aws.amazon.com/products/lifecycle/"
    )


def test_entries_have_a_key_of_their_own_a_date_and_something_to_look_for() -> None:
    assert len({entry.key for entry in TABLE}) == len(TABLE)
    for entry in TABLE:
        assert re.fullmatch(r"\w+", entry.key), entry
        assert re.fullmatch(r"\d{4}(-\d{2}){0,2}", entry.since), entry
        assert entry.types or entry.features or entry.calls, entry
        assert entry.replacement
        assert entry.source.startswith("https://")


def test_each_list_has_its_own_state_and_nothing_is_in_both() -> None:
    assert {entry.state for entry in ENDED} == {State.ENDED}
    assert {entry.state for entry in (*CLOSED, *CLOSED_OF_SAGEMAKER)} == {State.CLOSED}
    types = [pattern for entry in TABLE for pattern in entry.types]
    clashes = [(a, b) for a in types for b in types if a != b and fnmatchcase(a, b)]
    assert (clashes, len(types)) == ([], len(set(types)))
