"""Rules on buckets, and on who watches them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.review.machines import machine
from tests.unit.review.reports import findings

PARAMETER = {"Ref": "Parameter"}
IF = {"Fn::If": ["Prod", {}, {"Ref": "AWS::NoValue"}]}


def bucket(**properties: Any) -> dict[str, Any]:
    return {"B": ("AWS::S3::Bucket", properties)}


def table() -> dict[str, Any]:
    descriptor = {"Location": {"Fn::Join": ["", ["s3://", {"Ref": "B"}, "/readings/"]]}}
    return {"T": ("AWS::Glue::Table", {"TableInput": {"StorageDescriptor": descriptor}})}


def policy(condition: Any, effect: str = "Deny") -> dict[str, Any]:
    statement = {"Effect": effect, "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": condition}
    body = {"Bucket": {"Ref": "B"}, "PolicyDocument": {"Statement": [statement]}}
    return {"P": ("AWS::S3::BucketPolicy", body)}


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        (bucket(), ["B"]),
        (bucket() | policy({"Bool": {"aws:SecureTransport": "false"}}), []),
        (bucket() | policy({"Bool": {"aws:SecureTransport": False}}), []),
        (bucket() | policy({"Bool": {"aws:SecureTransport": "true"}}, "Allow"), ["B"]),
        (bucket() | policy({}), ["B"]),
        (bucket() | {"P": ("AWS::S3::BucketPolicy", {"Bucket": {"Ref": "B"}, "PolicyDocument": PARAMETER})}, []),
    ],
)
def test_buckets_refuse_requests_without_tls(resources: Any, found: list[str]) -> None:
    assert findings("LK1", resources) == found


def encrypted(**settings: Any) -> dict[str, Any]:
    rules = [{"ServerSideEncryptionByDefault": settings}]
    return {"BucketEncryption": {"ServerSideEncryptionConfiguration": rules}}


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        ({}, ["B"]),
        (encrypted(SSEAlgorithm="AES256"), ["B"]),
        (encrypted(SSEAlgorithm="aws:kms"), ["B"]),
        (encrypted(SSEAlgorithm="aws:kms", KMSMasterKeyID=PARAMETER), []),
        ({"BucketEncryption": IF}, []),
    ],
)
def test_data_buckets_have_a_key(properties: Any, found: list[str]) -> None:
    assert findings("LK2", bucket(**properties) | table()) == found
    assert findings("LK2", bucket(**properties)) == []  # nothing says that it holds data


def test_the_bucket_of_a_training_job_holds_models() -> None:
    train = machine("sagemaker:createTrainingJob.sync", {"OutputDataConfig": {"S3OutputPath": "s3://${B}/models"}})
    assert findings("LK2", bucket() | train) == ["B"]
    assert findings("LK3", bucket() | train) == ["B"]
    assert findings("LK5", bucket() | train) == ["B"]


@pytest.mark.parametrize("url", ["s3://${B}/models", "s3://models-${Role}/${B}/x", "s3://models-${Role}/x"])
def test_only_buckets_among_what_a_place_names_hold_models(url: str) -> None:
    made = {"Role": ("AWS::IAM::Role", {})} | bucket()
    found = ["B"] if "${B}" in url else []
    model = {"M": ("AWS::SageMaker::Model", {"PrimaryContainer": {"ModelDataUrl": {"Fn::Sub": url}}})}
    assert findings("LK3", made | model) == found
    train = machine("sagemaker:createTrainingJob.sync", {"OutputDataConfig": {"S3OutputPath": url}})
    assert findings("LK3", made | train) == found


def test_a_bucket_that_a_job_only_reads_needs_no_versions() -> None:
    train = machine("sagemaker:createTrainingJob.sync", {"InputDataConfig": [{"S3Uri": "s3://${B}/data"}]})
    assert findings("LK3", bucket() | train) == []


@pytest.mark.parametrize(
    ("versioning", "found"),
    [(None, ["B"]), ({"Status": "Suspended"}, ["B"]), ({"Status": "Enabled"}, []), ({"Status": PARAMETER}, [])],
)
def test_the_lake_keeps_versions(versioning: Any, found: list[str]) -> None:
    given = {} if versioning is None else {"VersioningConfiguration": versioning}
    assert findings("LK3", bucket(**given) | table()) == found


BLOCKED = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        ({}, []),
        ({"PublicAccessBlockConfiguration": BLOCKED}, []),
        ({"PublicAccessBlockConfiguration": BLOCKED | {"BlockPublicAcls": False}}, ["B"]),
        ({"PublicAccessBlockConfiguration": {"BlockPublicAcls": True}}, ["B"]),
        ({"PublicAccessBlockConfiguration": BLOCKED | {"BlockPublicAcls": PARAMETER}}, []),
        ({"PublicAccessBlockConfiguration": IF}, []),
        ({"AccessControl": "PublicRead"}, ["B"]),
        ({"AccessControl": "LogDeliveryWrite"}, []),
    ],
)
def test_buckets_are_not_public(properties: Any, found: list[str]) -> None:
    assert findings("LK4", bucket(**properties)) == found


@pytest.mark.parametrize(
    ("rules", "found"),
    [([], ["B"]), ([{"Status": "Disabled"}], ["B"]), ([{"Status": "Enabled", "Transitions": []}], []), (IF, [])],
)
def test_data_buckets_have_a_lifecycle(rules: Any, found: list[str]) -> None:
    assert findings("LK5", bucket(LifecycleConfiguration={"Rules": rules}) | table()) == found


def trail(*arns: Any, kind: str = "AWS::S3::Object") -> dict[str, Any]:
    selectors = [{"Field": "resources.type", "Equals": [kind]}]
    if arns:
        selectors.append({"Field": "resources.ARN", "StartsWith": list(arns)})
    return {"L": ("AWS::CloudTrail::Trail", {"AdvancedEventSelectors": [{"FieldSelectors": selectors}]})}


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        ({}, ["B"]),
        (trail({"Fn::Sub": "${B.Arn}/"}), []),
        (trail(), []),
        (trail({"Fn::Sub": "${Other.Arn}/"}) | {"Other": ("AWS::S3::Bucket", {})}, ["B"]),
        (trail({"Ref": "Parameter"}), []),
        (trail(kind="AWS::Lambda::Function"), ["B"]),
    ],
)
def test_a_trail_watches_the_lake(resources: Any, found: list[str]) -> None:
    assert findings("LK6", bucket() | table() | resources) == found


def test_a_trail_of_another_stack_watches_the_lake() -> None:
    assert findings("LK6", bucket() | table(), trail({"Fn::ImportValue": "Data"})) == []
    assert findings("LK6", bucket()) == []


def test_basic_selectors_count_as_well() -> None:
    resources = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}
    old = {"L": ("AWS::CloudTrail::Trail", {"EventSelectors": [{"DataResources": [resources]}]})}
    assert findings("LK6", bucket() | table() | old) == []
