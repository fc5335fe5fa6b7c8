"""Rules on models and endpoints: what breaks each, what keeps it, and what is not known and so is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.review.endpoint_parts import (
    IF,
    PARAMETER,
    SERVERLESS,
    VARIANT,
    config,
    endpoint,
    model,
)
from tests.unit.review.machines import machine
from tests.unit.review.reports import findings


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        ({}, ["M"]),
        ({"EnableNetworkIsolation": False}, ["M"]),
        ({"EnableNetworkIsolation": "true"}, []),
        ({"EnableNetworkIsolation": PARAMETER}, []),
        ({"VpcConfig": {"Subnets": ["a", "b"]}}, []),
        ({"VpcConfig": IF}, []),
    ],
)
def test_a_model_is_isolated_or_in_a_vpc(properties: Any, found: list[str]) -> None:
    assert findings("SM1", model(**properties)) == found


@pytest.mark.parametrize(("subnets", "found"), [(["a"], ["M"]), (["a", "b"], []), (PARAMETER, []), ([], [])])
def test_a_vpc_of_one_zone_is_found(subnets: Any, found: list[str]) -> None:
    assert findings("SM2", model(VpcConfig={"Subnets": subnets})) == found
    assert findings("SM2", model()) == []


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        ({}, ["C"]),
        ({"KmsKeyId": PARAMETER}, []),
        ({"ProductionVariants": [VARIANT | {"InstanceType": "ml.g5.xlarge"}]}, []),
        ({"ProductionVariants": [VARIANT | {"InstanceType": PARAMETER}]}, []),
        ({"ProductionVariants": [SERVERLESS]}, []),
        ({"ProductionVariants": PARAMETER}, []),
    ],
)
def test_volumes_have_a_key_where_there_are_volumes(properties: Any, found: list[str]) -> None:
    assert findings("SM3", config(**properties)) == found


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        ({}, ["C"]),
        ({"DataCaptureConfig": {"EnableCapture": False}}, ["C"]),
        ({"DataCaptureConfig": {"EnableCapture": True}}, []),
        ({"DataCaptureConfig": {"EnableCapture": PARAMETER}}, []),
        ({"DataCaptureConfig": IF}, []),
        ({"ProductionVariants": [SERVERLESS]}, []),
    ],
)
def test_traffic_is_captured(properties: Any, found: list[str]) -> None:
    assert findings("SM4", config(**properties)) == found


@pytest.mark.parametrize(
    ("capture", "found"),
    [
        ({"EnableCapture": True}, ["C"]),
        ({"EnableCapture": True, "KmsKeyId": PARAMETER}, []),
        ({"EnableCapture": False}, []),
        (None, []),
    ],
)
def test_captures_have_a_key(capture: Any, found: list[str]) -> None:
    assert findings("SM5", config(DataCaptureConfig=capture)) == found


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ([], ["C"]),
        ([{"Status": "Enabled", "ExpirationInDays": 9}], []),
        ([{"Status": "Disabled", "ExpirationInDays": 9}], ["C"]),
        ([{"Status": "Enabled", "ExpirationInDays": 9, "Prefix": "capture"}], []),
        ([{"Status": "Enabled", "ExpirationInDays": 9, "Prefix": "other"}], ["C"]),
        ([{"Status": "Enabled", "ExpirationInDays": 9, "Prefix": PARAMETER}], []),
        ([{"Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": 1}}], ["C"]),
        (IF, []),
    ],
)
def test_captures_expire(rules: Any, found: list[str]) -> None:
    capture = {"EnableCapture": True, "DestinationS3Uri": {"Fn::Sub": "s3://${B}/capture/x"}}
    bucket = {"B": ("AWS::S3::Bucket", {"LifecycleConfiguration": {"Rules": rules}})}
    assert findings("SM6", config(DataCaptureConfig=capture) | bucket) == found


def test_a_capture_bucket_from_elsewhere_is_left_alone() -> None:
    capture = {"EnableCapture": True, "DestinationS3Uri": {"Fn::Sub": ["s3://${B}/c", {"B": PARAMETER}]}}
    assert findings("SM6", config(DataCaptureConfig=capture)) == []


@pytest.mark.parametrize(
    ("alarms", "found"),
    [
        ({}, ["E"]),
        ({"AutoRollbackConfiguration": {"Alarms": []}}, ["E"]),
        ({"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": PARAMETER}]}}, []),
        ({"AutoRollbackConfiguration": IF}, []),
    ],
)
def test_a_guarded_update_has_alarms(alarms: Any, found: list[str]) -> None:
    policy = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": "CANARY"}}}
    assert findings("SM7", endpoint(DeploymentConfig=policy | alarms)) == found


def test_a_guarded_update_by_a_state_machine_has_alarms() -> None:
    bare = machine("aws-sdk:sagemaker:updateEndpoint", {"DeploymentConfig": {"BlueGreenUpdatePolicy": {}}})
    assert findings("SM7", bare) == ["S"]
    given = machine("aws-sdk:sagemaker:updateEndpoint", {"DeploymentConfig": "{% $plan %}"})
    assert findings("SM7", given) == []


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        (endpoint(), ["E"]),
        (endpoint(DeploymentConfig=IF), []),
        (endpoint(SERVERLESS), []),
        (endpoint(VARIANT | {"InstanceType": "ml.inf1.xlarge"}), []),
    ],
)
def test_updates_are_staged_where_guardrails_exist(resources: Any, found: list[str]) -> None:
    assert findings("SM8", resources) == found


@pytest.mark.parametrize(
    ("image", "found"),
    [
        ("111111111111.dkr.ecr.eu-west-1.amazonaws.com/mine:1", ["M"]),
        ({"Fn::Sub": "${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/mine:1"}, ["M"]),
        ("111111111111.dkr.ecr.eu-west-1.amazonaws.com/mine@sha256:0", []),
        ("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3", []),
        ({"Fn::Join": ["", [{"Fn::FindInMap": ["A", "B", "C"]}, ".dkr.ecr.x/y:1"]]}, []),
        (PARAMETER, []),
    ],
)
def test_images_are_pinned(image: Any, found: list[str]) -> None:
    assert findings("SM12", model(PrimaryContainer={"Image": image})) == found
    assert findings("SM12", model(Containers=[{"Image": image}, {"Image": image}])) == found


@pytest.mark.parametrize(
    ("weights", "found"), [((0, 0), ["C"]), ((0, 0.1), []), ((0, PARAMETER), []), ((0, None), []), (("0",), ["C"])]
)
def test_some_variant_has_a_weight(weights: Any, found: list[str]) -> None:
    variants = [VARIANT | ({} if one is None else {"InitialVariantWeight": one}) for one in weights]
    assert findings("SM13", config(ProductionVariants=variants)) == found


def test_a_weight_that_a_condition_hides_is_left_alone() -> None:
    assert findings("SM13", config(ProductionVariants=[VARIANT | {"InitialVariantWeight": 0}, IF])) == []


@pytest.mark.parametrize("rule", ["SM14", "SM15"])
def test_asynchronous_answers_are_announced_and_encrypted(rule: str) -> None:
    given = {"NotificationConfig": {"ErrorTopic": PARAMETER}, "KmsKeyId": PARAMETER}
    assert findings(rule, config()) == []
    assert findings(rule, config(AsyncInferenceConfig={"OutputConfig": {}})) == ["C"]
    assert findings(rule, config(AsyncInferenceConfig={"OutputConfig": given})) == []
    assert findings(rule, config(AsyncInferenceConfig={"OutputConfig": IF})) == []
