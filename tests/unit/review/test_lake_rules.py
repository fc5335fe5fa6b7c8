"""Rules on buckets, Glue, streams, stores, logs and queries."""

from __future__ import annotations

import json
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


@pytest.mark.parametrize(
    ("cfn_type", "prop"),
    [("AWS::Glue::Job", "SecurityConfiguration"), ("AWS::Glue::Crawler", "CrawlerSecurityConfiguration")],
)
def test_glue_has_a_security_configuration(cfn_type: str, prop: str) -> None:
    assert findings("LK7", {"G": (cfn_type, {})}) == ["G"]
    assert findings("LK7", {"G": (cfn_type, {prop: PARAMETER})}) == []


def test_each_part_of_a_security_configuration_is_on() -> None:
    on = {
        "S3Encryptions": [{"S3EncryptionMode": "SSE-KMS"}],
        "CloudWatchEncryption": {"CloudWatchEncryptionMode": "SSE-KMS"},
        "JobBookmarksEncryption": {"JobBookmarksEncryptionMode": PARAMETER},
    }

    def found(parts: dict[str, Any]) -> list[str]:
        return findings("LK7", {"G": ("AWS::Glue::SecurityConfiguration", {"EncryptionConfiguration": parts})})

    assert found(on) == []
    assert found(on | {"CloudWatchEncryption": {"CloudWatchEncryptionMode": "DISABLED"}}) == ["G[CloudWatchEncryption]"]
    assert found({}) == ["G[S3Encryptions]", "G[CloudWatchEncryption]", "G[JobBookmarksEncryption]"]


KEYED = {"DeliveryStreamEncryptionConfigurationInput": {"KeyType": "CUSTOMER_MANAGED_CMK"}}


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        ({}, ["F"]),
        ({"DeliveryStreamEncryptionConfigurationInput": {"KeyType": "AWS_OWNED_CMK"}}, ["F"]),
        (KEYED, []),
        ({"DeliveryStreamEncryptionConfigurationInput": IF}, []),
        ({"DeliveryStreamType": "KinesisStreamAsSource"}, []),
    ],
)
def test_delivery_streams_have_a_key(properties: Any, found: list[str]) -> None:
    assert findings("LK8", {"F": ("AWS::KinesisFirehose::DeliveryStream", properties)}) == found


@pytest.mark.parametrize(
    ("key", "found"), [(None, ["K"]), ("alias/aws/kinesis", ["K"]), ("alias/mine", []), (PARAMETER, [])]
)
def test_data_streams_have_a_key(key: Any, found: list[str]) -> None:
    encryption = {} if key is None else {"StreamEncryption": {"EncryptionType": "KMS", "KeyId": key}}
    assert findings("LK9", {"K": ("AWS::Kinesis::Stream", encryption)}) == found


def test_each_store_of_a_feature_group_has_a_key() -> None:
    def found(**stores: Any) -> list[str]:
        return findings("LK10", {"G": ("AWS::SageMaker::FeatureGroup", stores)})

    assert found(OnlineStoreConfig={}, OfflineStoreConfig={}) == ["G[OnlineStoreConfig]", "G[OfflineStoreConfig]"]
    assert found(OnlineStoreConfig={"SecurityConfig": {"KmsKeyId": PARAMETER}}) == []
    assert found(OfflineStoreConfig=IF) == []


@pytest.mark.parametrize(("rule", "prop"), [("LK11", "KmsKeyId"), ("LK12", "RetentionInDays")])
def test_log_groups_have_a_key_and_an_end(rule: str, prop: str) -> None:
    assert findings(rule, {"G": ("AWS::Logs::LogGroup", {})}) == ["G"]
    assert findings(rule, {"G": ("AWS::Logs::LogGroup", {prop: PARAMETER})}) == []


SAFE = {"ResultConfiguration": {"EncryptionConfiguration": {"EncryptionOption": "SSE_KMS"}}}


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({}, ["W[Encryption]"]),
        (SAFE, []),
        (SAFE | {"EnforceWorkGroupConfiguration": False}, ["W[Enforce]"]),
        (SAFE | {"EnforceWorkGroupConfiguration": PARAMETER}, []),
        ({"ManagedQueryResultsConfiguration": {"EncryptionConfiguration": {"KmsKey": "k"}}}, []),
        (IF, []),
    ],
)
def test_workgroups_encrypt_and_enforce(settings: Any, found: list[str]) -> None:
    assert findings("LK13", {"W": ("AWS::Athena::WorkGroup", {"WorkGroupConfiguration": settings})}) == found


@pytest.mark.parametrize(
    ("destination", "found"),
    [
        ({}, ["F"]),
        ({"CompressionFormat": "UNCOMPRESSED"}, ["F"]),
        ({"CompressionFormat": "GZIP"}, []),
        ({"CompressionFormat": PARAMETER}, []),
        ({"DataFormatConversionConfiguration": {"Enabled": True}}, []),
        ({"DataFormatConversionConfiguration": {"Enabled": False}}, ["F"]),
        ({"DataFormatConversionConfiguration": IF}, []),
    ],
)
def test_streams_land_as_columns_or_compressed(destination: Any, found: list[str]) -> None:
    stream = {"F": ("AWS::KinesisFirehose::DeliveryStream", {"ExtendedS3DestinationConfiguration": destination})}
    assert findings("LK14", stream) == found


def test_prepared_data_is_checked() -> None:
    run = machine("glue:startJobRun.sync", {"JobName": "clean"})
    assert findings("LK15", run) == ["S"]
    assert findings("LK15", run, {"R": ("AWS::Glue::DataQualityRuleset", {})}) == []
    states = {
        "Run": {"Type": "Task", "Resource": "arn:aws:states:::glue:startJobRun.sync"},
        "Judge": {"Type": "Choice", "Choices": []},
    }
    definition = json.dumps({"States": states})
    assert findings("LK15", {"S": ("AWS::StepFunctions::StateMachine", {"DefinitionString": definition})}) == []
