"""Model packages on the laptop cloud: versions, approval with its event, models and endpoints made of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Collected, Deploy, Until
from tests.local.job_support import ROLE, events, executed
from tests.local.sagemaker_support import invoke

pytestmark = pytest.mark.laptop_cloud
GROUPS = "arn:aws:sagemaker:us-east-1:000000000000:model-package-group"
PACKAGES = "arn:aws:sagemaker:us-east-1:000000000000:model-package"


@pytest.fixture
def group(laptop_cloud: LaptopCloud) -> Callable[[str], str]:
    """Return a function that makes a group and returns its name."""

    def make(name: str) -> str:
        laptop_cloud.client("sagemaker").create_model_package_group(ModelPackageGroupName=name)
        return name

    return make


def version(cloud: LaptopCloud, group: str, url: str = "s3://models/none.tar.gz", **more: Any) -> str:
    """Add a version to a group and return its ARN."""
    container = {"Image": "any", "ModelDataUrl": url, "Environment": {"SAGEMAKER_PROGRAM": "inference.py"}}
    inference = {"Containers": [container], "SupportedContentTypes": ["text/csv"]}
    arn: str = cloud.client("sagemaker").create_model_package(
        ModelPackageGroupName=group,
        InferenceSpecification=inference,
        **{"CustomerMetadataProperties": {"model_version": "1", "dataset_version": "d"}, **more},
    )["ModelPackageArn"]
    return arn


def test_versions_are_numbered_and_found_by_status(laptop_cloud: LaptopCloud, group: Callable[[str], str]) -> None:
    sagemaker, name = laptop_cloud.client("sagemaker"), group("numbered")
    first = version(laptop_cloud, name)
    second = version(laptop_cloud, f"{GROUPS}/{name}", ModelApprovalStatus="Approved")
    assert [first, second] == [f"{PACKAGES}/numbered/1", f"{PACKAGES}/numbered/2"]
    shown = sagemaker.describe_model_package(ModelPackageName=first)
    assert (shown["ModelApprovalStatus"], shown["ModelPackageStatus"]) == ("PendingManualApproval", "Completed")
    approved = {"ModelPackageGroupName": name, "ModelApprovalStatus": "Approved"}
    assert [item["ModelPackageArn"] for item in _listed(laptop_cloud, **approved)] == [second]
    newest = _listed(laptop_cloud, ModelPackageGroupName=name, SortBy="CreationTime", SortOrder="Descending")
    assert [item["ModelPackageVersion"] for item in newest] == [2, 1]
    sagemaker.delete_model_package(ModelPackageName=second)
    assert version(laptop_cloud, name) == f"{PACKAGES}/numbered/3"  # a number is never given twice
    page = sagemaker.list_model_packages(ModelPackageGroupName=name, MaxResults=1)
    rest = sagemaker.list_model_packages(ModelPackageGroupName=name, MaxResults=1, NextToken=page["NextToken"])
    assert [item["ModelPackageVersion"] for item in rest["ModelPackageSummaryList"]] == [3]


def _listed(cloud: LaptopCloud, **asked: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cloud.client("sagemaker").list_model_packages(**asked)["ModelPackageSummaryList"]
    return found


def test_an_update_keeps_what_it_does_not_name(laptop_cloud: LaptopCloud, group: Callable[[str], str]) -> None:
    sagemaker = laptop_cloud.client("sagemaker")
    arn = version(laptop_cloud, group("merged"))
    sagemaker.update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="by hand",
        CustomerMetadataProperties={"approver": "me"}, CustomerMetadataPropertiesToRemove=["dataset_version"],
    )  # fmt: skip
    sagemaker.update_model_package(ModelPackageArn=arn, CustomerMetadataProperties={"more": "1"})
    shown = sagemaker.describe_model_package(ModelPackageName=arn)
    assert (shown["ModelApprovalStatus"], shown["ApprovalDescription"]) == ("Approved", "by hand")
    assert shown["CustomerMetadataProperties"] == {"model_version": "1", "approver": "me", "more": "1"}
    with pytest.raises(ClientError, match="must be one of"):
        sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Maybe")


def test_each_change_of_the_approval_is_an_event(
    laptop_cloud: LaptopCloud, group: Callable[[str], str], collected: Collected
) -> None:
    sagemaker, name = laptop_cloud.client("sagemaker"), group("told")
    detail = {"ModelPackageGroupName": [name], "ModelApprovalStatus": ["Approved"]}
    pattern = {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Model Package State Change"], "detail": detail}
    queue = events(laptop_cloud, "packages-told", pattern)
    arn = version(laptop_cloud, name)
    for _ in range(2):  # approving again changes nothing
        sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    told = [json.loads(body) for body in collected(queue, 2)]
    assert len(told) == 2
    assert told[0]["resources"] == [arn]
    assert (told[0]["detail"]["ModelPackageVersion"], told[0]["detail"]["CreationTime"][-1]) == (1, "Z")
    assert told[0]["detail"]["CustomerMetadataProperties"]["model_version"] == "1"


def test_a_group_has_a_policy_and_stays_with_its_versions(laptop_cloud: LaptopCloud, deploy_template: Deploy) -> None:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "1"}, "Action": "*"}]}
    properties = {"ModelPackageGroupName": "shared", "ModelPackageGroupPolicy": document}
    resources = {"Group": {"Type": "AWS::SageMaker::ModelPackageGroup", "Properties": properties}}
    arn = {"Fn::GetAtt": ["Group", "ModelPackageGroupArn"]}
    assert deploy_template("Shared", resources, Arn=arn).outputs["Arn"] == f"{GROUPS}/shared"
    sagemaker = laptop_cloud.client("sagemaker")
    policy = sagemaker.get_model_package_group_policy(ModelPackageGroupName="shared")["ResourcePolicy"]
    assert json.loads(policy) == document
    package = version(laptop_cloud, "shared")
    with pytest.raises(ClientError, match="still contains"):
        sagemaker.delete_model_package_group(ModelPackageGroupName="shared")
    sagemaker.delete_model_package(ModelPackageName=package)
    laptop_cloud.destroy("Shared")
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.describe_model_package_group(ModelPackageGroupName="shared")


def test_a_state_machine_deploys_a_package_and_moves_to_the_next(
    laptop_cloud: LaptopCloud, group: Callable[[str], str], model_artifact: Callable[..., str], until: Until
) -> None:
    name = group("deployed")
    for number in ("1", "2"):
        url = model_artifact(f"package-{number}", name=f"v{number}")
        _deploy(laptop_cloud, until, version(laptop_cloud, name, url), number, first=number == "1")
        assert invoke(laptop_cloud, "packaged")["Lines"][0]["model_version"] == f"v{number}"
    listed = _did(laptop_cloud, until, "sagemaker:listModelPackages", ModelPackageGroupName=name)
    assert [item["ModelPackageVersion"] for item in listed["ModelPackageSummaryList"]] == [1, 2]
    arn = listed["ModelPackageSummaryList"][0]["ModelPackageArn"]
    changed = {"ModelPackageArn": arn, "ModelApprovalStatus": "Rejected"}
    assert _did(laptop_cloud, until, "sagemaker:updateModelPackage", **changed) == {"ModelPackageArn": arn}
    shown = _did(laptop_cloud, until, "sagemaker:describeModelPackage", ModelPackageName=arn)
    assert (shown["ModelApprovalStatus"], shown["CreationTime"][-1]) == ("Rejected", "Z")
    again = {"ModelName": "packaged-1", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"ModelPackageName": arn}}
    taken = {"EndpointConfigName": "packaged-1", "ProductionVariants": [_variant("packaged-1")]}
    for action, arguments in (("createModel", again), ("createEndpointConfig", taken)):
        refused = executed(laptop_cloud, until, f"aws-sdk:sagemaker:{action}", arguments)
        assert refused["error"] == "SageMaker.SageMakerException"
        assert "Cannot create already existing" in refused["cause"]


def _deploy(cloud: LaptopCloud, until: Until, package: str, number: str, *, first: bool) -> None:
    """Make model, configuration and endpoint of a package, or update the endpoint, by SDK integrations."""
    name = f"packaged-{number}"
    container = {"ModelPackageName": package}
    _did(cloud, until, "sagemaker:createModel", ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
    _did(cloud, until, "sagemaker:createEndpointConfig", EndpointConfigName=name, ProductionVariants=[_variant(name)])
    action = "createEndpoint" if first else "updateEndpoint"
    _did(cloud, until, f"sagemaker:{action}", EndpointName="packaged", EndpointConfigName=name)

    def in_service() -> bool:
        shown = _did(cloud, until, "sagemaker:describeEndpoint", EndpointName="packaged")
        return bool(shown["EndpointStatus"] == "InService" and shown["EndpointConfigName"] == name)

    until(in_service, seconds=60)


def _variant(model: str) -> dict[str, Any]:
    return {
        "VariantName": "main",
        "ModelName": model,
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m7i.large",
        "InitialVariantWeight": 1,
    }


def _did(cloud: LaptopCloud, until: Until, action: str, **arguments: Any) -> dict[str, Any]:
    done = executed(cloud, until, f"aws-sdk:{action}", arguments)
    assert done["status"] == "SUCCEEDED", done
    output: dict[str, Any] = json.loads(done["output"])
    return output
