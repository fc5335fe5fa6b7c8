"""The lake's key by role: who is not named decrypts no object, whatever IAM says."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from cdk_ml_lens import Audit, Classification, DataLake, LakeFormation, PropError, Replication, Zone
from tests.unit.templates import Template

MACIE = Audit(trail=False, classification=Classification())
Synth = Callable[[cdk.Stack], Template]


def role(stack: cdk.Stack, id: str) -> iam.Role:
    return iam.Role(stack, id, assumed_by=iam.ServicePrincipal("glue.amazonaws.com"))


def denied(template: Template) -> dict[str, Any]:
    (key,) = template.of_type("AWS::KMS::Key").values()
    (found,) = [item for item in key["Properties"]["KeyPolicy"]["Statement"] if item["Effect"] == "Deny"]
    return dict(found)


def test_only_named_roles_decrypt_objects(stack: cdk.Stack, synth: Synth) -> None:
    lake = DataLake(stack, "Lake")
    lake.restrict_key(role(stack, "Job"), role(stack, "Analyst"))
    statement = denied(synth(stack))
    assert statement["Action"] == "kms:Decrypt"
    assert statement["Principal"] == {"AWS": "*"}
    names = json.dumps(statement["Condition"]["ArnNotEquals"]["aws:PrincipalArn"])
    assert "Job" in names
    assert "Analyst" in names
    via = json.dumps(statement["Condition"]["StringEquals"]["kms:ViaService"])
    assert via.startswith('{"Fn::Join": ["", ["s3."')


def test_the_lakes_own_roles_go_on_working(stack: cdk.Stack, synth: Synth) -> None:
    copies = Replication(
        bucket=s3.Bucket.from_bucket_name(stack, "Copies", "copies"),
        encryption_key=kms.Key.from_key_arn(stack, "CopiesKey", "arn:aws:kms:eu-west-1:123456789012:key/1"),
    )
    lake = DataLake(
        stack, "Lake", zones=[Zone(name="raw", replication=copies)], governance=LakeFormation(), audit=MACIE
    )
    lake.restrict_key(role(stack, "Job"))
    names = json.dumps(denied(synth(stack))["Condition"]["ArnNotEquals"]["aws:PrincipalArn"])
    assert "ReplicationRole" in names
    assert "GovernanceRole" in names
    assert "AWSServiceRoleForAmazonMacie" in names


def test_by_default_iam_policies_decide(stack: cdk.Stack, synth: Synth) -> None:
    DataLake(stack, "Lake")
    (key,) = synth(stack).of_type("AWS::KMS::Key").values()
    assert "Deny" not in json.dumps(key)


def test_fails_without_a_role(stack: cdk.Stack) -> None:
    with pytest.raises(PropError, match="roles must have at least one role for the lake's key, got 0"):
        DataLake(stack, "Lake").restrict_key()


def test_fails_on_a_key_whose_policy_is_somebody_elses(stack: cdk.Stack) -> None:
    key = kms.Key.from_key_arn(stack, "Theirs", "arn:aws:kms:eu-west-1:123456789012:key/1")
    with pytest.raises(PropError, match="encryption_key must be a key of this app to be restricted, got .*key/1"):
        DataLake(stack, "Lake", encryption_key=key).restrict_key(role(stack, "Job"))
