"""ModelRegistry: one group, one private bucket, grants that open what they name and no more."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from cdk_ml_lens import ApprovalPolicy, ModelRegistry, ObjectLock, PropError, Replication
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]
KEY_ARN = "arn:aws:kms:eu-west-1:111122223333:key/k"


@pytest.fixture
def role(stack: cdk.Stack) -> iam.Role:
    return iam.Role(stack, "User", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))


def artifacts(template: Template) -> dict[str, Any]:
    (bucket,) = [item for id, item in template.of_type("AWS::S3::Bucket").items() if "AccessLogs" not in id]
    return dict(bucket["Properties"])


def granted(template: Template) -> dict[str, str]:
    """Return action → resources as text, of the role under test."""
    found: dict[str, str] = {}
    for statement in template.statements("User"):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        for action in actions:
            found[action] = found.get(action, "") + json.dumps(statement["Resource"])
    return found


def test_minimal_is_a_private_group_with_a_private_bucket(stack: cdk.Stack, synth: Synth) -> None:
    registry = ModelRegistry(stack, "Models")
    template = synth(stack)
    group = template.only("AWS::SageMaker::ModelPackageGroup")
    assert group["ModelPackageGroupName"] == registry.group_name == registry.group_name.lower()
    assert "ModelPackageGroupPolicy" not in group
    bucket = artifacts(template)
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert "ModelsKey" in json.dumps(rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"])
    assert bucket["LoggingConfiguration"]["LogFilePrefix"] == "artifacts/"
    (aging,) = bucket["LifecycleConfiguration"]["Rules"]
    assert "ExpirationInDays" not in aging
    assert aging["NoncurrentVersionExpiration"] == {"NoncurrentDays": 365}
    assert registry.approval_status == "PendingManualApproval"


def test_minimal_passes_nag(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    ModelRegistry(stack, "Models")
    assert nag(stack) == []


def test_everything_that_a_rebuild_needs_stays_when_the_stack_goes(stack: cdk.Stack, synth: Synth) -> None:
    ModelRegistry(stack, "Models", removal_policy=cdk.RemovalPolicy.DESTROY)
    template = synth(stack)
    kinds = ("AWS::S3::Bucket", "AWS::KMS::Key", "AWS::SageMaker::ModelPackageGroup")
    kept = [item for kind in kinds for item in template.of_type(kind).values()]
    assert len(kept) == 4
    assert {item["DeletionPolicy"] for item in kept} == {"Retain"}


def test_full_locks_replicates_and_names(stack: cdk.Stack, synth: Synth, nag: Callable[[cdk.Stack], list[str]]) -> None:
    replica = s3.Bucket.from_bucket_name(stack, "Replica", "replica")
    ModelRegistry(
        stack,
        "Models",
        group_name="turbine-anomalies",
        approval=ApprovalPolicy.automatic(),
        shared_with=["444455556666"],
        object_lock=ObjectLock(days=30),
        replica=Replication(bucket=replica, encryption_key=kms.Key.from_key_arn(stack, "Far", KEY_ARN)),
        encryption_key=kms.Key(stack, "Mine", enable_key_rotation=True),
    )
    assert nag(stack) == []
    template = synth(stack)
    bucket = artifacts(template)
    assert bucket["ObjectLockEnabled"]
    assert bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"] == {"Days": 30, "Mode": "GOVERNANCE"}
    assert bucket["ReplicationConfiguration"]["Rules"][0]["Destination"]["Bucket"]
    assert template.only("AWS::SageMaker::ModelPackageGroup")["ModelPackageGroupName"] == "turbine-anomalies"
    assert len(template.of_type("AWS::KMS::Key")) == 1


def test_other_accounts_read_versions_artifacts_and_key_and_write_nothing(stack: cdk.Stack, synth: Synth) -> None:
    ModelRegistry(stack, "Models", group_name="m", shared_with=["444455556666"])
    template = synth(stack)
    statements = template.only("AWS::SageMaker::ModelPackageGroup")["ModelPackageGroupPolicy"]["Statement"]
    assert [item["Action"] for item in statements] == [
        ["sagemaker:DescribeModelPackageGroup"],
        ["sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages", "sagemaker:CreateModel"],
    ]
    assert "444455556666" in json.dumps(statements)
    policies = [
        *template.of_type("AWS::S3::BucketPolicy").values(),
        *template.of_type("AWS::KMS::Key").values(),
    ]
    shared = [
        statement
        for policy in policies
        for statement in policy["Properties"].get("PolicyDocument", policy["Properties"].get("KeyPolicy"))["Statement"]
        if statement.get("Sid") == "SharedArtifacts"
    ]
    assert [statement["Action"] for statement in shared] == ["s3:GetObject", "kms:Decrypt"]


def test_sharing_fails_with_a_key_whose_policy_is_not_ours(stack: cdk.Stack) -> None:
    key = kms.Key.from_key_arn(stack, "Theirs", KEY_ARN)
    with pytest.raises(PropError, match="encryption_key must be a key of this app to be shared"):
        ModelRegistry(stack, "Models", shared_with=["444455556666"], encryption_key=key)


@pytest.mark.parametrize("name", ["", "-m", "m-", "a b", "a" * 64, "m_1"])
def test_name_that_sagemaker_refuses_fails(stack: cdk.Stack, name: str) -> None:
    with pytest.raises(PropError, match="group_name must be 1 to 63"):
        ModelRegistry(stack, "Models", group_name=name)


@pytest.mark.parametrize("accounts", [["1234"], ["444455556666", "444455556666"]])
def test_accounts_that_are_none_fail(stack: cdk.Stack, accounts: list[str]) -> None:
    with pytest.raises(PropError, match="shared_with must name"):
        ModelRegistry(stack, "Models", shared_with=accounts)


def test_a_reader_reads(stack: cdk.Stack, role: iam.Role, synth: Synth) -> None:
    ModelRegistry(stack, "Models").grant_read(role)
    assert set(granted(synth(stack))) == {
        "kms:Decrypt",
        "s3:GetObject",
        "s3:ListBucket",
        "sagemaker:DescribeModelPackage",
        "sagemaker:ListModelPackages",
    }


def test_who_registers_creates_versions_of_this_group_and_approves_none(
    stack: cdk.Stack, role: iam.Role, synth: Synth
) -> None:
    ModelRegistry(stack, "Models", group_name="mine").grant_register(role)
    actions = granted(synth(stack))
    assert ":model-package/mine/*" in actions["sagemaker:CreateModelPackage"]
    assert "model-package-group" not in actions["sagemaker:CreateModelPackage"]  # IAM knows no such resource for it
    assert {"s3:PutObject", "s3:GetObject", "kms:GenerateDataKey"} <= set(actions)
    assert not {"sagemaker:UpdateModelPackage", "sagemaker:DeleteModelPackage", "s3:DeleteObject"} & set(actions)


def test_who_approves_neither_registers_nor_writes(stack: cdk.Stack, role: iam.Role, synth: Synth) -> None:
    ModelRegistry(stack, "Models").grant_approve(role)
    assert set(granted(synth(stack))) == {
        "sagemaker:DescribeModelPackage",
        "sagemaker:ListModelPackages",
        "sagemaker:UpdateModelPackage",
    }


def test_who_records_reaches_manifests_only(stack: cdk.Stack, role: iam.Role, synth: Synth) -> None:
    ModelRegistry(stack, "Models").grant_record(role)
    actions = granted(synth(stack))
    assert "/manifests/*" in actions["s3:PutObject"]
    assert actions["s3:GetObject"] == actions["s3:PutObject"]


def test_grants_pass_nag(stack: cdk.Stack, role: iam.Role, nag: Callable[[cdk.Stack], list[str]]) -> None:
    registry = ModelRegistry(stack, "Models")
    for grant in (registry.grant_register, registry.grant_approve, registry.grant_record, registry.grant_write):
        grant(role)
    assert nag(stack) == []


def test_events_name_the_group_and_the_status(stack: cdk.Stack, synth: Synth) -> None:
    registry = ModelRegistry(stack, "Models", group_name="mine")
    registry.on_version("Refused", targets.SqsQueue(sqs.Queue(stack, "Q")), status=["Rejected"])
    pattern = synth(stack).only("AWS::Events::Rule")["EventPattern"]
    assert pattern["detail-type"] == ["SageMaker Model Package State Change"]
    assert pattern["detail"] == {"ModelPackageGroupName": ["mine"], "ModelApprovalStatus": ["Rejected"]}


def test_arns_are_lower_case_as_sagemaker_writes_them(stack: cdk.Stack) -> None:
    registry = ModelRegistry(stack, "Models", group_name="Turbines")
    assert registry.group_name == "Turbines"
    assert registry.group_arn.endswith(":model-package-group/turbines")
    assert registry.packages_arn.endswith(":model-package/turbines/*")


def test_registry_of_another_account_is_read_by_its_names(stack: cdk.Stack, role: iam.Role, synth: Synth) -> None:
    ModelRegistry.from_names(
        stack,
        group_name="theirs",
        bucket=s3.Bucket.from_bucket_name(stack, "B", "their-artifacts"),
        encryption_key=kms.Key.from_key_arn(stack, "K", KEY_ARN),
        account="444455556666",
    ).grant_read(role)
    actions = granted(synth(stack))
    assert ":444455556666:model-package/theirs/*" in actions["sagemaker:DescribeModelPackage"]
    assert "their-artifacts" in actions["s3:GetObject"]
    assert KEY_ARN in actions["kms:Decrypt"]


def test_approval_policies_are_a_status_and_an_age() -> None:
    assert ApprovalPolicy.manual() == ApprovalPolicy(status="PendingManualApproval", expire_days=30)
    assert ApprovalPolicy.automatic() == ApprovalPolicy(status="Approved")


def test_policy_that_no_package_has_fails() -> None:
    with pytest.raises(PropError, match=r"(?s)status must be one of.*\n.*expire_days must be between 1 and 3650"):
        ApprovalPolicy(status="Yes", expire_days=0)  # type: ignore[arg-type]
