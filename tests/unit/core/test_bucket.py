"""SecureBucket: encrypted, private, versioned, logged, retained."""

from __future__ import annotations

from collections.abc import Callable

import aws_cdk as cdk

from cdk_ml_lens.core.bucket import SecureBucket
from cdk_ml_lens.core.keys import data_key
from tests.unit.templates import Template


def make(stack: cdk.Stack, **props: object) -> SecureBucket:
    return SecureBucket(stack, "B", encryption_key=data_key(stack, "Key", description="test"), **props)  # type: ignore[arg-type]


def data_bucket(template: Template) -> dict[str, object]:
    (found,) = [
        bucket["Properties"]
        for bucket in template.of_type("AWS::S3::Bucket").values()
        if "LoggingConfiguration" in bucket["Properties"]
    ]
    return found


def test_minimal_is_closed_versioned_and_logged(stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]) -> None:
    make(stack)
    template = synth(stack)
    bucket = data_bucket(template)
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}  # type: ignore[attr-defined]
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]  # type: ignore[index]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert {res["DeletionPolicy"] for res in template.of_type("AWS::S3::Bucket").values()} == {"Retain"}


def test_log_delivery_is_allowed_for_this_account_only(
    stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]
) -> None:
    make(stack)
    delivery = [
        statement
        for policy in synth(stack).of_type("AWS::S3::BucketPolicy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    ]
    assert [statement["Action"] for statement in delivery] == ["s3:PutObject"]
    assert delivery[0]["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_full_expires_objects(stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]) -> None:
    make(stack, expire_days=30)
    (rule,) = data_bucket(synth(stack))["LifecycleConfiguration"]["Rules"]  # type: ignore[index]
    assert rule["ExpirationInDays"] == 30
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}


def test_destroy_needs_the_flag(stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]) -> None:
    make(stack, removal_policy=cdk.RemovalPolicy.DESTROY)
    assert {res["DeletionPolicy"] for res in synth(stack).of_type("AWS::S3::Bucket").values()} == {"Retain"}


def test_nag_is_clean(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    make(stack)
    assert nag(stack) == []
