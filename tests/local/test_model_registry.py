"""The model registry of the laptop cloud: what groups and packages refuse, a policy in the updates of a stack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_ml_lens.local import DeployError, LaptopCloud
from tests.local.conftest import Deploy
from tests.local.job_support import ROLE

pytestmark = pytest.mark.laptop_cloud
PACKAGES = "arn:aws:sagemaker:us-east-1:000000000000:model-package"
INFERENCE = {"Containers": [{"Image": "any"}], "SupportedContentTypes": ["text/csv"]}


def named(client: Any, part: str) -> list[str]:
    found = client.list_model_package_groups(NameContains=part)["ModelPackageGroupSummaryList"]
    return [item["ModelPackageGroupName"] for item in found]


@pytest.fixture
def sagemaker(laptop_cloud: LaptopCloud) -> Iterator[Any]:
    """A client; groups and packages that a test leaves are deleted."""
    client = laptop_cloud.client("sagemaker")
    yield client
    for package in client.list_model_packages(ModelPackageType="Both")["ModelPackageSummaryList"]:
        client.delete_model_package(ModelPackageName=package["ModelPackageArn"])
    for group in named(client, ""):
        client.delete_model_package_group(ModelPackageGroupName=group)


def test_a_group_has_a_proper_name_of_its_own_and_is_found_by_a_part_of_it(sagemaker: Any) -> None:
    for name in ("pumps", "turbines-north", "turbines-south"):
        sagemaker.create_model_package_group(ModelPackageGroupName=name)
    with pytest.raises(ClientError, match="already exists: arn:aws:sagemaker:.*:model-package-group/pumps"):
        sagemaker.create_model_package_group(ModelPackageGroupName="pumps")
    with pytest.raises(ClientError, match="must have letters, digits and -, got -pumps"):
        sagemaker.create_model_package_group(ModelPackageGroupName="-pumps")
    assert named(sagemaker, "turbines") == ["turbines-north", "turbines-south"]
    sagemaker.delete_model_package_group(ModelPackageGroupName="turbines-north")
    assert named(sagemaker, "turbines") == ["turbines-south"]
    with pytest.raises(ClientError, match="model-package-group/turbines-north does not exist"):
        sagemaker.create_model_package(ModelPackageGroupName="turbines-north", InferenceSpecification=INFERENCE)


def test_an_update_takes_a_groups_policy_away(deploy_template: Deploy, sagemaker: Any) -> None:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "1"}, "Action": "*"}]}

    def group(**more: Any) -> dict[str, Any]:
        properties = {"ModelPackageGroupName": "lent", **more}
        return {"Group": {"Type": "AWS::SageMaker::ModelPackageGroup", "Properties": properties}}

    deploy_template("Lent", group(ModelPackageGroupPolicy=document))
    policy = sagemaker.get_model_package_group_policy(ModelPackageGroupName="lent")["ResourcePolicy"]
    assert json.loads(policy) == document
    deploy_template("Lent", group())
    with pytest.raises(ClientError, match="Cannot find resource policy for: lent"):
        sagemaker.get_model_package_group_policy(ModelPackageGroupName="lent")


def test_a_stack_does_not_go_before_the_versions_of_its_group(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, sagemaker: Any
) -> None:
    group = {"Type": "AWS::SageMaker::ModelPackageGroup", "Properties": {"ModelPackageGroupName": "full"}}
    deploy_template("Full", {"Group": group})
    sagemaker.create_model_package(ModelPackageGroupName="full", InferenceSpecification=INFERENCE)
    with pytest.raises(DeployError, match=r"Group \(AWS::SageMaker::ModelPackageGroup\): .*full still contains"):
        laptop_cloud.destroy("Full")
    sagemaker.delete_model_package(ModelPackageName=f"{PACKAGES}/full/1")
    laptop_cloud.destroy("Full")
    assert named(sagemaker, "full") == []


def test_a_package_of_its_own_has_a_name_and_no_approval(sagemaker: Any) -> None:
    arn = sagemaker.create_model_package(ModelPackageName="Alone", InferenceSpecification=INFERENCE)["ModelPackageArn"]
    assert arn == f"{PACKAGES}/alone"
    (listed,) = sagemaker.list_model_packages()["ModelPackageSummaryList"]
    assert (listed["ModelPackageName"], "ModelApprovalStatus" in listed) == ("Alone", False)
    assert sagemaker.describe_model_package(ModelPackageName="Alone")["ModelPackageArn"] == arn
    with pytest.raises(ClientError, match="ConflictException.*model-package/alone already exists"):
        sagemaker.create_model_package(ModelPackageName="Alone", InferenceSpecification=INFERENCE)
    with pytest.raises(ClientError, match="Only versions of a group have an approval status"):
        sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    for names in ({}, {"ModelPackageName": "a", "ModelPackageGroupName": "b"}):
        with pytest.raises(ClientError, match="One of ModelPackageName and ModelPackageGroupName must be given"):
            sagemaker.create_model_package(**names, InferenceSpecification=INFERENCE)


def test_a_package_without_containers_makes_no_model(sagemaker: Any) -> None:
    arn = sagemaker.create_model_package(ModelPackageName="empty")["ModelPackageArn"]
    container = {"ModelPackageName": arn}
    with pytest.raises(ClientError, match="model-package/empty has no InferenceSpecification"):
        sagemaker.create_model(ModelName="empty", ExecutionRoleArn=ROLE, PrimaryContainer=container)
    with pytest.raises(ClientError, match="Could not find model"):
        sagemaker.describe_model(ModelName="empty")
