"""A workbench on the laptop cloud: what SageMaker keeps of a notebook instance, and the names of Studio."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from cdk_ml_lens.local import Deployment, LaptopCloud
from tests.local.conftest import Deploy
from tests.local.support import role
from tests.local.test_examples_deploy import built

pytestmark = pytest.mark.laptop_cloud


def test_the_example_makes_a_notebook_without_internet_or_root(
    laptop_cloud: LaptopCloud, deployed: Callable[..., Deployment]
) -> None:
    assert deployed(built("workbench")).status == "CREATE_COMPLETE"
    client = laptop_cloud.client("sagemaker")
    kept = client.list_notebook_instances(NameContains="Workbench")["NotebookInstances"]
    listed = max(kept, key=lambda entry: entry["CreationTime"])  # a stack that goes leaves its notebook
    notebook = client.describe_notebook_instance(NotebookInstanceName=listed["NotebookInstanceName"])
    assert (notebook["DirectInternetAccess"], notebook["RootAccess"]) == ("Disabled", "Disabled")
    name = notebook["NotebookInstanceLifecycleConfigName"]
    config = client.describe_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=name)
    assert b"idle_stop.py" in base64.b64decode(config["OnStart"][0]["Content"])
    assert b"--minutes 30" in base64.b64decode(config["OnStart"][0]["Content"])


def test_a_group_has_the_rules_that_are_resources_of_their_own(
    laptop_cloud: LaptopCloud, deploy_template: Deploy
) -> None:
    own = {"Fn::GetAtt": ["Group", "GroupId"]}
    ports = {"IpProtocol": "tcp", "FromPort": 2049, "ToPort": 2049, "GroupId": own}
    resources: dict[str, Any] = {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/24"}},
        "Group": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {"GroupDescription": "apps", "VpcId": {"Ref": "Vpc"}},
        },
        "In": {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {**ports, "SourceSecurityGroupId": own}},
    }
    made = deploy_template("Groups", resources, Group=own).outputs["Group"]
    (group,) = laptop_cloud.client("ec2").describe_security_groups(GroupIds=[made])["SecurityGroups"]
    (rule,) = group["IpPermissions"]
    assert (rule["FromPort"], rule["UserIdGroupPairs"][0]["GroupId"]) == (2049, made)


def test_a_rule_of_a_group_moves_to_another_port_and_goes(laptop_cloud: LaptopCloud, deploy_template: Deploy) -> None:
    own = {"Fn::GetAtt": ["Group", "GroupId"]}
    group = {"GroupDescription": "moving", "VpcId": {"Ref": "Vpc"}}

    def deployed(*rules: tuple[str, int]) -> list[tuple[int, str]]:
        resources: dict[str, Any] = {
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/24"}},
            "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": group},
        }
        for number, (cidr, port) in enumerate(rules):
            rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "GroupId": own, "CidrIp": cidr}
            resources[f"In{number}"] = {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": rule}
        made = deploy_template("Moving", resources, Group=own).outputs["Group"]
        (found,) = laptop_cloud.client("ec2").describe_security_groups(GroupIds=[made])["SecurityGroups"]
        return sorted((item["FromPort"], item["IpRanges"][0]["CidrIp"]) for item in found["IpPermissions"])

    assert deployed(("10.9.0.0/28", 443), ("10.9.0.16/28", 443)) == [(443, "10.9.0.0/28"), (443, "10.9.0.16/28")]
    assert deployed(("10.9.0.0/28", 8443), ("10.9.0.16/28", 443)) == [(443, "10.9.0.16/28"), (8443, "10.9.0.0/28")]
    assert deployed(("10.9.0.0/28", 8443)) == [(8443, "10.9.0.0/28")]
    group["GroupDescription"] = "gone"  # a new group, and a new rule in it
    assert deployed(("10.9.0.0/28", 8443)) == [(8443, "10.9.0.0/28")]
    laptop_cloud.destroy("Moving")


def test_a_notebook_goes_with_its_stack(laptop_cloud: LaptopCloud, deploy_template: Deploy) -> None:
    properties = {"InstanceType": "ml.t3.medium", "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}}
    resources = {
        "Role": role("sagemaker.amazonaws.com"),
        "Notebook": {"Type": "AWS::SageMaker::NotebookInstance", "Properties": properties},
    }
    made = deploy_template("Going", resources, Name={"Fn::GetAtt": ["Notebook", "NotebookInstanceName"]})
    laptop_cloud.destroy("Going")
    left = laptop_cloud.client("sagemaker").list_notebook_instances()["NotebookInstances"]
    assert made.outputs["Name"] not in json.dumps(left, default=str)
