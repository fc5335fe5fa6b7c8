"""Which model servers run for inference components, pipelines and multi-model containers, and when they end."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Deploy, Until
from tests.local.job_support import ROLE
from tests.local.sagemaker_support import stack

pytestmark = pytest.mark.laptop_cloud
Artifact = Callable[..., str]


def servers(cloud: LaptopCloud, model: str) -> int:
    """Return how many servers of a model run."""
    listed = subprocess.run(["ps", "-ww", "-eo", "args="], capture_output=True, text=True, check=True).stdout
    folder = f"{cloud.state_dir}/models/{model}-"
    return sum(folder in line for line in listed.splitlines())


def asked(cloud: LaptopCloud, endpoint: str, body: str = "1,2", **more: str) -> dict[str, Any]:
    answer = cloud.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, ContentType="text/csv", Body=body, **more
    )
    found: dict[str, Any] = json.loads(answer["Body"].read())
    return found


@pytest.fixture
def host(deploy_template: Deploy) -> str:
    """An endpoint whose only variant has no model."""
    variant = {"VariantName": "v", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    resources = {
        "Config": {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Properties": {"ExecutionRoleArn": ROLE, "ProductionVariants": [variant]},
        },
        "Endpoint": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {
                "EndpointName": "shared",
                "EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]},
            },
        },
    }
    deploy_template("Shared", resources)
    return "shared"


@pytest.fixture
def place(laptop_cloud: LaptopCloud, host: str) -> Callable[..., None]:
    """Return a function that makes a model and places it."""
    sagemaker = laptop_cloud.client("sagemaker")

    def make(name: str, url: str, *, endpoint: str = host, variant: str = "v") -> None:
        container = {"Image": "any", "ModelDataUrl": url}
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
        needs = {"MinMemoryRequiredInMb": 128}
        sagemaker.create_inference_component(
            InferenceComponentName=name,
            EndpointName=endpoint,
            VariantName=variant,
            Specification={"ModelName": name, "ComputeResourceRequirements": needs},
            RuntimeConfig={"CopyCount": 2},
        )

    return make


def test_a_component_serves_until_it_is_deleted(
    laptop_cloud: LaptopCloud, host: str, place: Callable[..., None], model_artifact: Artifact, until: Until
) -> None:
    sagemaker = laptop_cloud.client("sagemaker")
    url = model_artifact("placed", name="placed")
    place("placed", url)
    shown = sagemaker.describe_inference_component(InferenceComponentName="placed")
    assert (shown["InferenceComponentStatus"], shown["RuntimeConfig"]["CurrentCopyCount"]) == ("InService", 2)
    assert asked(laptop_cloud, host, InferenceComponentName="placed")["model_version"] == "placed"
    sagemaker.delete_model(ModelName="placed")
    with pytest.raises(ClientError, match="Inference component placed already exists"):
        place("placed", url)
    assert servers(laptop_cloud, "placed") == 1
    sagemaker.delete_inference_component(InferenceComponentName="placed")
    until(lambda: servers(laptop_cloud, "placed") == 0)
    with pytest.raises(ClientError, match='Could not find inference component "placed"'):
        sagemaker.describe_inference_component(InferenceComponentName="placed")


def test_a_component_that_cannot_be_placed_leaves_nothing(
    laptop_cloud: LaptopCloud, place: Callable[..., None], model_artifact: Artifact
) -> None:
    url = model_artifact("unplaced", name="unplaced")
    with pytest.raises(ClientError, match="Endpoint elsewhere has no such variant"):
        place("astray", url, endpoint="elsewhere")
    with pytest.raises(ClientError, match="Endpoint shared has no such variant"):
        place("amiss", url, variant="w")
    with pytest.raises(ClientError, match="ValidationException.*made with another version"):
        place("unloaded", model_artifact("unloaded", fail=""))
    sagemaker = laptop_cloud.client("sagemaker")
    for name in ("astray", "amiss", "unloaded"):
        assert servers(laptop_cloud, name) == 0
        with pytest.raises(ClientError, match=f'Could not find inference component "{name}"'):
            sagemaker.delete_inference_component(InferenceComponentName=name)


def test_a_multi_model_container_loads_a_model_once_and_ends_with_its_endpoint(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, model_artifact: Artifact, until: Until
) -> None:
    model_artifact("fleet/one", name="one")
    resources = stack("fleet", {"Many": "s3://models/fleet/"}, {"Many": 1})
    resources["Many"]["Properties"]["PrimaryContainer"]["Mode"] = "MultiModel"
    resources["Many"]["Properties"]["ModelName"] = "fleet"
    deploy_template("Fleet", resources)
    assert servers(laptop_cloud, "fleet") == 0
    for _ in range(2):
        assert asked(laptop_cloud, "fleet", TargetModel="one.tar.gz")["model_version"] == "one"
    assert servers(laptop_cloud, "fleet") == 1
    laptop_cloud.destroy("Fleet")
    until(lambda: servers(laptop_cloud, "fleet") == 0)


def test_a_pipeline_answers_with_the_error_of_its_first_container(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, model_artifact: Artifact
) -> None:
    url = model_artifact("stages", name="stages")
    stages = [
        {"Image": "any", "ModelDataUrl": url, "Environment": {"FAKE_SCORE_ONLY": "yes"}},
        {"Image": "any", "ModelDataUrl": url},
    ]
    resources = stack("stages", {"Line": url}, {"Line": 1})
    properties = resources["Line"]["Properties"]
    del properties["PrimaryContainer"]
    properties["Containers"] = stages
    deploy_template("Stages", resources)
    assert asked(laptop_cloud, "stages")["score"] == 3.0
    with pytest.raises(ClientError, match="ModelError.*refused") as caught:
        asked(laptop_cloud, "stages", body="400,1")
    response: dict[str, Any] = dict(caught.value.response)
    assert response["OriginalStatusCode"] == 400
