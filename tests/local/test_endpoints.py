"""Endpoints: states, replacement of models and configurations by CloudFormation, scaling targets."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from cdk_ml_lens.local import DeployError, LaptopCloud
from tests.local.conftest import Deploy
from tests.local.sagemaker_support import invoke, stack

pytestmark = pytest.mark.laptop_cloud
Artifact = Callable[..., str]


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
    with pytest.raises(ClientError, match="in-progress endpoint"):
        sagemaker.delete_endpoint(EndpointName="slow")
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
    autoscaling, cloudwatch = laptop_cloud.client("application-autoscaling"), laptop_cloud.client("cloudwatch")
    service, variant = target["ServiceNamespace"], target["ResourceId"]
    deploy_template("Scaling", resources)
    found = autoscaling.describe_scaling_policies(ServiceNamespace=service, ResourceId=variant)
    assert [item["PolicyName"] for item in found["ScalingPolicies"]] == ["load"]
    assert found["ScalingPolicies"][0]["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 70.0
    alarms = cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm"], AlarmNamePrefix="Scaling-")
    assert len(alarms["CompositeAlarms"]) == 1
    laptop_cloud.destroy("Scaling")
    gone = autoscaling.describe_scalable_targets(ServiceNamespace=service, ResourceIds=[variant])
    assert gone["ScalableTargets"] == []
