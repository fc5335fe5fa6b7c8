"""Rules on Glue, streams, stores, logs and queries."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.review.machines import machine
from tests.unit.review.reports import findings

PARAMETER = {"Ref": "Parameter"}
IF = {"Fn::If": ["Prod", {}, {"Ref": "AWS::NoValue"}]}


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
