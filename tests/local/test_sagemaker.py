"""SageMaker: variants, live weights, errors, data capture, metrics, and replacement by CloudFormation."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_ml_lens.local import DeployError, LaptopCloud
from tests.local.conftest import Deploy, Until
from tests.local.support import role

pytestmark = pytest.mark.laptop_cloud
Artifact = Callable[..., str]


def model(url: str) -> dict[str, Any]:
    container = {"Image": "any", "ModelDataUrl": url, "Environment": {"SAGEMAKER_PROGRAM": "inference.py"}}
    return {
        "Type": "AWS::SageMaker::Model",
        "Properties": {"ExecutionRoleArn": {"Fn::GetAtt": ["Role", "Arn"]}, "PrimaryContainer": container},
    }


def variant(name: str, weight: float) -> dict[str, Any]:
    return {
        "VariantName": name,
        "ModelName": {"Fn::GetAtt": [name, "ModelName"]},
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m7i.large",
        "InitialVariantWeight": weight,
    }


def capture(percent: int, prefix: str) -> dict[str, Any]:
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": percent,
        "DestinationS3Uri": f"s3://models/{prefix}",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
    }


def stack(name: str, models: dict[str, str], weights: dict[str, float], **config: Any) -> dict[str, Any]:
    return {
        "Role": role("sagemaker.amazonaws.com"),
        **{key: model(url) for key, url in models.items()},
        "Config": {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Properties": {"ProductionVariants": [variant(key, value) for key, value in weights.items()], **config},
        },
        "Endpoint": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {
                "EndpointName": name,
                "EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]},
            },
        },
    }


@pytest.fixture
def two_variants(deploy_template: Deploy, model_artifact: Artifact) -> str:
    urls = {"Blue": model_artifact("blue", name="1.0"), "Green": model_artifact("green", name="2.0")}
    resources = stack("two", urls, {"Blue": 3, "Green": 1}, DataCaptureConfig=capture(100, "captured"))
    return deploy_template("Two", resources, Name={"Fn::GetAtt": ["Endpoint", "EndpointName"]}).outputs["Name"]


def invoke(cloud: LaptopCloud, name: str, body: str = "1,2\n3,4", **more: str) -> dict[str, Any]:
    runtime = cloud.client("sagemaker-runtime")
    answer: dict[str, Any] = runtime.invoke_endpoint(
        EndpointName=name, Body=body, ContentType="text/csv", Accept="application/jsonlines", **more
    )
    answer["Lines"] = [json.loads(line) for line in answer["Body"].read().splitlines()]
    return answer


def test_a_batch_is_answered_by_the_variant_that_the_header_names(laptop_cloud: LaptopCloud, two_variants: str) -> None:
    for target, version in (("Blue", "1.0"), ("Green", "2.0")):
        answer = invoke(laptop_cloud, two_variants, TargetVariant=target)
        assert answer["InvokedProductionVariant"] == target
        assert [(line["score"], line["model_version"]) for line in answer["Lines"]] == [(3.0, version), (7.0, version)]
    with pytest.raises(ClientError, match="ValidationError.*Variant Purple not found"):
        invoke(laptop_cloud, two_variants, TargetVariant="Purple")
    with pytest.raises(ClientError, match="ValidationError.*Endpoint none of account 000000000000 not found"):
        invoke(laptop_cloud, "none")


def test_weights_split_the_traffic_and_change_at_once(laptop_cloud: LaptopCloud, two_variants: str) -> None:
    def split(calls: int) -> Counter[str]:
        return Counter(invoke(laptop_cloud, two_variants)["InvokedProductionVariant"] for _ in range(calls))

    assert 3 <= split(100)["Green"] <= 47  # 25 expected; five standard deviations are 22
    desired = [{"VariantName": "Blue", "DesiredWeight": 0}, {"VariantName": "Green", "DesiredWeight": 1}]
    sagemaker = laptop_cloud.client("sagemaker")
    sagemaker.update_endpoint_weights_and_capacities(EndpointName=two_variants, DesiredWeightsAndCapacities=desired)
    assert split(20) == {"Green": 20}
    described = sagemaker.describe_endpoint(EndpointName=two_variants)
    assert [item["CurrentWeight"] for item in described["ProductionVariants"]] == [0.0, 1.0]
    desired = [{"VariantName": "Blue", "DesiredWeight": 3}]
    sagemaker.update_endpoint_weights_and_capacities(EndpointName=two_variants, DesiredWeightsAndCapacities=desired)


@pytest.mark.parametrize("status", [400, 500])
def test_a_model_error_is_a_424_with_the_models_status(
    status: int, laptop_cloud: LaptopCloud, two_variants: str
) -> None:
    with pytest.raises(ClientError, match="ModelError") as caught:
        invoke(laptop_cloud, two_variants, body=f"{status},0", TargetVariant="Blue")
    response: dict[str, Any] = dict(caught.value.response)
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["OriginalStatusCode"] == status
    assert response["OriginalMessage"] == "refused"


def test_calls_are_captured_in_sagemakers_layout_and_schema(
    laptop_cloud: LaptopCloud, two_variants: str, until: Until
) -> None:
    invoke(laptop_cloud, two_variants, body="41,1", TargetVariant="Green", InferenceId="reading-41")
    s3 = laptop_cloud.client("s3")

    def records() -> list[tuple[str, dict[str, Any]]]:
        listed = s3.list_objects_v2(Bucket="models", Prefix="captured/two/Green/").get("Contents", [])
        return [
            (item["Key"], json.loads(line))
            for item in listed
            for line in s3.get_object(Bucket="models", Key=item["Key"])["Body"].read().splitlines()
        ]

    def found() -> list[tuple[str, dict[str, Any]]]:
        return [pair for pair in records() if pair[1]["eventMetadata"].get("inferenceId") == "reading-41"]

    ((key, record),) = until(found)
    hour = datetime.now(UTC).strftime("%Y/%m/%d")
    assert key.startswith(f"captured/two/Green/{hour}/")
    assert key.endswith(".jsonl")
    assert record["captureData"]["endpointInput"] == {
        "observedContentType": "text/csv",
        "mode": "INPUT",
        "data": "41,1",
        "encoding": "CSV",
    }
    assert record["captureData"]["endpointOutput"]["encoding"] == "BASE64"  # jsonlines is not in the header list
    assert record["eventVersion"] == "0"
    assert set(record["eventMetadata"]) == {"eventId", "inferenceTime", "inferenceId"}


def test_each_variant_has_its_own_metrics(laptop_cloud: LaptopCloud, two_variants: str) -> None:
    cloudwatch = laptop_cloud.client("cloudwatch")

    def total(metric: str, name: str) -> float:
        points = cloudwatch.get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName=metric,
            Dimensions=[{"Name": "EndpointName", "Value": two_variants}, {"Name": "VariantName", "Value": name}],
            StartTime=datetime.now(UTC) - timedelta(minutes=10),
            EndTime=datetime.now(UTC) + timedelta(minutes=1),
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(point["Sum"] for point in points))

    before = {name: total("Invocations", name) for name in ("Blue", "Green")}
    errors = total("Invocation4XXErrors", "Blue")
    for _ in range(3):
        invoke(laptop_cloud, two_variants, TargetVariant="Blue")
    with pytest.raises(ClientError):
        invoke(laptop_cloud, two_variants, body="400", TargetVariant="Blue")
    assert total("Invocations", "Blue") == before["Blue"] + 4
    assert total("Invocations", "Green") == before["Green"]
    assert total("Invocation4XXErrors", "Blue") == errors + 1
    assert total("ModelLatency", "Blue") > 100  # microseconds


def versions_until(cloud: LaptopCloud, name: str, done: threading.Event) -> list[str]:
    """Invoke until ``done``, then once more; a call that fails raises."""
    versions: list[str] = []
    while not done.is_set() or not versions:
        versions.append(invoke(cloud, name)["Lines"][0]["model_version"])
    return versions


def test_a_new_model_gets_a_new_config_and_no_call_fails_meanwhile(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, model_artifact: Artifact
) -> None:
    sagemaker = laptop_cloud.client("sagemaker")

    def config() -> str:
        return str(sagemaker.describe_endpoint(EndpointName="swap")["EndpointConfigName"])

    deploy_template("Swap", stack("swap", {"Only": model_artifact("old", name="old")}, {"Only": 1}))
    before = config()
    done = threading.Event()
    with ThreadPoolExecutor(1) as caller:
        versions = caller.submit(versions_until, laptop_cloud, "swap", done)
        deploy_template("Swap", stack("swap", {"Only": model_artifact("new", name="new")}, {"Only": 1}))
        done.set()
    assert {"old", "new"} >= set(versions.result())
    assert invoke(laptop_cloud, "swap")["Lines"][0]["model_version"] == "new"
    assert config() != before
    names = [item["EndpointConfigName"] for item in sagemaker.list_endpoint_configs()["EndpointConfigs"]]
    assert before not in names
    assert len([item for item in sagemaker.list_models()["Models"] if "Swap" in item["ModelName"]]) == 1
    laptop_cloud.destroy("Swap")
    with pytest.raises(ClientError, match="not found"):
        invoke(laptop_cloud, "swap")


def test_a_model_that_does_not_load_fails_the_update_with_its_words_and_the_old_one_serves_on(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, model_artifact: Artifact
) -> None:
    deploy_template("Keep", stack("keep", {"Only": model_artifact("fine", name="fine")}, {"Only": 1}))
    broken = stack("keep", {"Only": model_artifact("broken", fail="")}, {"Only": 1})
    with pytest.raises(DeployError, match="the artifact was made with another version"):
        deploy_template("Keep", broken)
    assert invoke(laptop_cloud, "keep")["Lines"][0]["model_version"] == "fine"
    assert laptop_cloud.client("sagemaker").describe_endpoint(EndpointName="keep")["EndpointStatus"] == "InService"


def test_an_endpoint_is_creating_until_its_model_answers(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, model_artifact: Artifact
) -> None:
    resources = stack("slow", {"Only": model_artifact("slow", name="slow")}, {"Only": 1})
    del resources["Endpoint"]
    name = {"Name": {"Fn::GetAtt": ["Config", "EndpointConfigName"]}}
    config = deploy_template("Slow", resources, **name).outputs["Name"]
    sagemaker = laptop_cloud.client("sagemaker")
    sagemaker.create_endpoint(EndpointName="slow", EndpointConfigName=config)
    started = time.monotonic()
    assert sagemaker.describe_endpoint(EndpointName="slow")["EndpointStatus"] == "Creating"
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="slow", WaiterConfig={"Delay": 1})
    assert invoke(laptop_cloud, "slow")["Lines"][0]["model_version"] == "slow"
    assert time.monotonic() - started < 20
    with pytest.raises(ClientError, match="already existing endpoint"):
        sagemaker.create_endpoint(EndpointName="slow", EndpointConfigName=config)
    sagemaker.delete_endpoint(EndpointName="slow")


def test_scaling_targets_policies_and_composite_alarms_deploy_and_go(
    laptop_cloud: LaptopCloud, deploy_template: Deploy
) -> None:
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/two/variant/Blue",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    tracking = {
        "TargetValue": "70",
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
    }
    resources = {
        "Target": {
            "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
            "Properties": {**target, "MinCapacity": "1", "MaxCapacity": 4},
        },
        "Policy": {
            "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
            "Properties": {
                "PolicyName": "load",
                "PolicyType": "TargetTrackingScaling",
                "ScalingTargetId": {"Ref": "Target"},
                "TargetTrackingScalingPolicyConfiguration": tracking,
            },
        },
        "Both": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {"AlarmRule": "FALSE"}},
    }
    deploy_template("Scaling", resources)
    autoscaling = laptop_cloud.client("application-autoscaling")
    (policy,) = autoscaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert policy["ResourceId"] == "endpoint/two/variant/Blue"
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 70.0
    alarms = laptop_cloud.client("cloudwatch").describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    assert len(alarms) == 1
    laptop_cloud.destroy("Scaling")
    assert autoscaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"] == []
