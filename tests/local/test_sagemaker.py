"""InvokeEndpoint: variants, live weights, errors, data capture, metrics."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Deploy, Until
from tests.local.sagemaker_support import capture, invoke, stack

pytestmark = pytest.mark.laptop_cloud
Artifact = Callable[..., str]


@pytest.fixture
def two_variants(deploy_template: Deploy, model_artifact: Artifact) -> str:
    urls = {"Blue": model_artifact("blue", name="1.0"), "Green": model_artifact("green", name="2.0")}
    resources = stack("two", urls, {"Blue": 3, "Green": 1}, DataCaptureConfig=capture(100, "captured"))
    return deploy_template("Two", resources, Name={"Fn::GetAtt": ["Endpoint", "EndpointName"]}).outputs["Name"]


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
