"""Updates of stacks on the laptop cloud: what changes in place, what is replaced, what was removed by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_ml_lens.local import DeployError, LaptopCloud
from tests.local.conftest import Deploy
from tests.local.job_support import ROLE
from tests.local.support import endpoint_resources

pytestmark = pytest.mark.laptop_cloud
Artifact = Callable[..., str]
DIMENSION = "sagemaker:variant:DesiredInstanceCount"


def failed_events(cloud: LaptopCloud, stack: str) -> list[str]:
    events = cloud.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    return [event["LogicalResourceId"] for event in events if event["ResourceStatus"].endswith("FAILED")]


def scaling(variant: str, *, most: int = 4, policy: str = "load", target: float = 70) -> dict[str, Any]:
    """Return a scalable target of a variant and its policy."""
    place = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/moved/variant/{variant}",
        "ScalableDimension": DIMENSION,
    }
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    tracking = {"TargetValue": target, "PredefinedMetricSpecification": metric}
    return {
        "Target": {
            "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
            "Properties": {**place, "MinCapacity": 1, "MaxCapacity": most},
        },
        "Policy": {
            "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
            "Properties": {
                "PolicyName": policy,
                "PolicyType": "TargetTrackingScaling",
                "ScalingTargetId": {"Ref": "Target"},
                "TargetTrackingScalingPolicyConfiguration": tracking,
            },
        },
    }


def scaled(cloud: LaptopCloud) -> tuple[list[tuple[str, int]], list[tuple[str, str, float]]]:
    """Return the variants that scale with their most instances, and the policies with theirs and their target."""
    client = cloud.client("application-autoscaling")
    targets = client.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    policies = client.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    return [(item["ResourceId"].split("/")[-1], item["MaxCapacity"]) for item in targets], [
        (
            item["PolicyName"],
            item["ResourceId"].split("/")[-1],
            item["TargetTrackingScalingPolicyConfiguration"]["TargetValue"],
        )
        for item in policies
    ]


def test_scaling_changes_its_limits_in_place_and_moves_with_its_variant(
    laptop_cloud: LaptopCloud, deploy_template: Deploy
) -> None:
    deploy_template("Moved", scaling("Blue"))
    deploy_template("Moved", scaling("Blue", most=6, target=50))
    assert scaled(laptop_cloud) == ([("Blue", 6)], [("load", "Blue", 50.0)])
    deploy_template("Moved", scaling("Green", policy="traffic"))
    assert scaled(laptop_cloud) == ([("Green", 4)], [("traffic", "Green", 70.0)])
    assert failed_events(laptop_cloud, "Moved") == []
    laptop_cloud.destroy("Moved")
    assert scaled(laptop_cloud) == ([], [])


def test_scaling_stays_where_it_was_when_the_update_that_moves_it_fails(
    laptop_cloud: LaptopCloud, deploy_template: Deploy
) -> None:
    deploy_template("Stays", scaling("Blue"))
    lost = {"Type": "AWS::SageMaker::Endpoint", "Properties": {"EndpointConfigName": "none"}, "DependsOn": "Policy"}
    with pytest.raises(DeployError):
        deploy_template("Stays", {**scaling("Green"), "Lost": lost})
    assert scaled(laptop_cloud) == ([("Blue", 4)], [("load", "Blue", 70.0)])


def test_a_composite_alarm_takes_a_new_rule_and_refuses_a_broken_one(
    laptop_cloud: LaptopCloud, deploy_template: Deploy
) -> None:
    def both(rule: str) -> dict[str, Any]:
        return {"Both": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {"AlarmRule": rule}}}

    def rules() -> list[tuple[str, str]]:
        found = laptop_cloud.client("cloudwatch").describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
        return [(item["AlarmName"], item["AlarmRule"]) for item in found]

    deploy_template("Composite", both("FALSE"))
    ((name, _),) = rules()
    deploy_template("Composite", both("TRUE"))
    assert rules() == [(name, "TRUE")]
    with pytest.raises(DeployError, match="PutCompositeAlarm failed"):
        deploy_template("Composite", both("ALARM("))
    assert rules() == [(name, "TRUE")]


def test_an_endpoint_whose_model_does_not_load_leaves_nothing_behind(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, model_artifact: Artifact
) -> None:
    with pytest.raises(DeployError, match="Endpoint stillborn is Failed.*made with another version"):
        deploy_template("Stillborn", endpoint_resources("stillborn", model_artifact("stillborn", fail="")))
    with pytest.raises(ClientError, match="Could not find"):
        laptop_cloud.client("sagemaker").describe_endpoint(EndpointName="stillborn")


def test_new_tags_do_not_deploy_an_endpoint_again(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, model_artifact: Artifact
) -> None:
    resources = endpoint_resources("tagged", model_artifact("tagged", name="1"))
    deploy_template("Tagged", resources)
    sagemaker = laptop_cloud.client("sagemaker")
    before = sagemaker.describe_endpoint(EndpointName="tagged")["LastModifiedTime"]
    resources["Endpoint"]["Properties"]["Tags"] = [{"Key": "team", "Value": "wind"}]
    assert deploy_template("Tagged", resources).status == "UPDATE_COMPLETE"
    shown = sagemaker.describe_endpoint(EndpointName="tagged")
    assert (shown["EndpointStatus"], shown["LastModifiedTime"]) == ("InService", before)


def test_new_tags_leave_a_notebook_as_it_is(laptop_cloud: LaptopCloud, deploy_template: Deploy) -> None:
    def notebook(team: str) -> dict[str, Any]:
        tags = [{"Key": "team", "Value": team}]
        properties = {"InstanceType": "ml.t3.medium", "RoleArn": ROLE, "Tags": tags}
        return {"Notebook": {"Type": "AWS::SageMaker::NotebookInstance", "Properties": properties}}

    before = deploy_template("Notes", notebook("wind"), Arn={"Ref": "Notebook"}).outputs["Arn"]
    assert deploy_template("Notes", notebook("sun"), Arn={"Ref": "Notebook"}).outputs["Arn"] == before
    listed = laptop_cloud.client("sagemaker").list_notebook_instances()["NotebookInstances"]
    assert [item["NotebookInstanceArn"] for item in listed if "Notes-" in item["NotebookInstanceName"]] == [before]


def test_what_was_deleted_by_hand_does_not_stop_the_stack_from_going(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, model_artifact: Artifact
) -> None:
    resources = endpoint_resources("hand", model_artifact("hand", name="1"))
    resources["Group"] = {
        "Type": "AWS::SageMaker::ModelPackageGroup",
        "Properties": {"ModelPackageGroupName": "hand"},
    }
    deploy_template("Hand", resources)
    sagemaker = laptop_cloud.client("sagemaker")
    sagemaker.delete_endpoint(EndpointName="hand")
    sagemaker.delete_model_package_group(ModelPackageGroupName="hand")
    laptop_cloud.destroy("Hand")
    assert "Hand" not in str(sagemaker.list_models()["Models"])


def watching(endpoint: str) -> dict[str, Any]:
    """Return the definition of a job that watches an endpoint, as a schedule may hold it."""
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}
    target = {"LocalPath": "/opt/ml/processing/output", "S3Uri": "s3://models/reports"}
    return {
        "MonitoringInputs": [{"EndpointInput": {"EndpointName": endpoint, "LocalPath": "/opt/ml/processing/input"}}],
        "MonitoringOutputConfig": {"MonitoringOutputs": [{"S3Output": target}]},
        "MonitoringResources": {"ClusterConfig": cluster},
        "MonitoringAppSpecification": {"ImageUri": "analyzer"},
        "RoleArn": ROLE,
    }


def test_a_watched_endpoint_keeps_its_stack_and_says_why(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, model_artifact: Artifact
) -> None:
    deploy_template("Kept", endpoint_resources("kept", model_artifact("kept", name="1")))
    sagemaker = laptop_cloud.client("sagemaker")
    schedule = {"MonitoringJobDefinition": watching("kept"), "MonitoringType": "DataQuality"}
    sagemaker.create_monitoring_schedule(MonitoringScheduleName="inline", MonitoringScheduleConfig=schedule)
    with pytest.raises(DeployError, match=r"Endpoint \(AWS::SageMaker::Endpoint\).*schedules are attached"):
        laptop_cloud.destroy("Kept")
    assert sagemaker.describe_endpoint(EndpointName="kept")["EndpointStatus"] == "InService"
    sagemaker.delete_monitoring_schedule(MonitoringScheduleName="inline")
    laptop_cloud.destroy("Kept")
