"""DataLake: one key, private buckets, a database per zone; a grant opens one zone and no other."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_ml_lens import Column, DataLake, Partition, PropError, Table, Zone
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]
TELEMETRY = Table(name="telemetry", columns=[Column(name="reading_id")], partitions=[Partition.date()])


@pytest.fixture
def role(stack: cdk.Stack) -> iam.Role:
    return iam.Role(stack, "Reader", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))


def zone_buckets(template: Template) -> list[dict[str, Any]]:
    return [item["Properties"] for id, item in template.of_type("AWS::S3::Bucket").items() if "Zone" in id]


def test_minimal_has_the_zones_of_the_lens(stack: cdk.Stack, synth: Synth) -> None:
    lake = DataLake(stack, "Lake")
    template = synth(stack)
    assert [zone.name for zone in lake.zones] == ["raw", "modelled", "enhanced", "transformed"]
    names = [item["Properties"]["DatabaseInput"]["Name"] for item in template.of_type("AWS::Glue::Database").values()]
    assert names == ["test_lake_raw", "test_lake_modelled", "test_lake_enhanced", "test_lake_transformed"]
    assert len(template.of_type("AWS::KMS::Key")) == 1
    assert len(zone_buckets(template)) == 4


def test_every_zone_is_private_encrypted_versioned_logged_and_heard(stack: cdk.Stack, synth: Synth) -> None:
    DataLake(stack, "Lake")
    template = synth(stack)
    for bucket in zone_buckets(template):
        rule = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]
        assert "LakeKey" in json.dumps(rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"])
        assert rule["BucketKeyEnabled"]
        assert all(bucket["PublicAccessBlockConfiguration"].values())
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
        assert bucket["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
        (aging,) = bucket["LifecycleConfiguration"]["Rules"]
        assert aging["Transitions"] == [{"StorageClass": "INTELLIGENT_TIERING", "TransitionInDays": 0}]
    logged = [bucket["LoggingConfiguration"] for bucket in zone_buckets(template)]
    assert len({json.dumps(item["DestinationBucketName"]) for item in logged}) == 1
    assert [item["LogFilePrefix"] for item in logged] == ["raw/", "modelled/", "enhanced/", "transformed/"]
    policies = template.of_type("AWS::S3::BucketPolicy")
    assert len(policies) == len(template.of_type("AWS::S3::Bucket"))
    assert all("aws:SecureTransport" in json.dumps(policy) for policy in policies.values())


def test_the_default_needs_neither_custom_resources_nor_functions(stack: cdk.Stack, synth: Synth) -> None:
    DataLake(stack, "Lake").add_table(TELEMETRY)
    types = {resource["Type"] for resource in synth(stack).resources.values()}
    assert types == {
        "AWS::Athena::WorkGroup",
        "AWS::CloudWatch::Alarm",
        "AWS::Glue::Database",
        "AWS::Glue::Table",
        "AWS::KMS::Key",
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
    }


def test_full_uses_the_callers_zones_and_key(stack: cdk.Stack, synth: Synth) -> None:
    lake = DataLake(
        stack, "Lake", zones=[Zone(name="landing"), Zone(name="gold")], encryption_key=kms.Key(stack, "Mine")
    )
    template = synth(stack)
    assert len(template.of_type("AWS::KMS::Key")) == 1
    assert "Mine" in json.dumps(zone_buckets(template)[0]["BucketEncryption"])
    assert lake.zone("gold").name == "gold"


def resources_of(statements: Sequence[dict[str, Any]], action: str) -> str:
    """Return what ``action`` is allowed on, as text."""
    return json.dumps([item["Resource"] for item in statements if action in json.dumps(item["Action"])])


def test_a_reader_of_one_zone_reaches_no_other(stack: cdk.Stack, role: iam.Role, synth: Synth) -> None:
    DataLake(stack, "Lake").grant_read("enhanced", role)
    statements = synth(stack).statements("Reader")
    actions = {json.dumps(item["Action"]) for item in statements}
    assert '"s3:GetObject"' in actions
    assert '"kms:Decrypt"' in actions
    text = json.dumps(statements)
    assert "Zoneenhanced" in text
    assert not [zone for zone in ("Zoneraw", "Zonemodelled", "Zonetransformed") if zone in text]
    assert "Put" not in text
    assert "Delete" not in text
    assert "/*" in resources_of(statements, "glue:GetTables")


def test_a_writer_of_a_zone_neither_reads_nor_deletes(stack: cdk.Stack, role: iam.Role, synth: Synth) -> None:
    DataLake(stack, "Lake").grant_write("raw", role)
    actions = synth(stack).actions("Reader")
    assert {"s3:PutObject", "kms:GenerateDataKey", "glue:GetTable"} <= actions
    assert not actions & {"s3:GetObject", "s3:DeleteObject", "glue:UpdateTable", "s3:ListBucket"}


def test_grants_take_the_key_for_the_grantee_only(stack: cdk.Stack, role: iam.Role, synth: Synth) -> None:
    DataLake(stack, "Lake").grant_read("raw", role)
    (statement,) = [item for item in synth(stack).statements("Reader") if item["Action"] == "kms:Decrypt"]
    assert "LakeKey" in json.dumps(statement["Resource"])


def test_data_stays_when_the_stack_goes(stack: cdk.Stack, synth: Synth) -> None:
    DataLake(stack, "Lake", removal_policy=cdk.RemovalPolicy.DESTROY)
    template = synth(stack)
    kept = [*template.of_type("AWS::S3::Bucket").values(), *template.of_type("AWS::KMS::Key").values()]
    assert {item["DeletionPolicy"] for item in kept} == {"Retain"}


@pytest.mark.parametrize(
    ("zones", "message"),
    [
        ([], "zones must have at least one zone for data lake"),
        ([Zone(name="raw"), Zone(name="raw")], "zones must have names of their own for data lake"),
    ],
)
def test_fails_on_zones_that_are_none_or_twice(stack: cdk.Stack, zones: list[Zone], message: str) -> None:
    with pytest.raises(PropError, match=message):
        DataLake(stack, "Lake", zones=zones)


def test_fails_on_a_zone_that_is_not_there(stack: cdk.Stack) -> None:
    lake = DataLake(stack, "Lake", zones=[Zone(name="raw")])
    with pytest.raises(PropError, match=r"zone must be one of \('raw',\) for data lake, got 'gold'"):
        lake.add_table(TELEMETRY, zone="gold")


def test_fails_on_a_second_table_of_the_same_name(stack: cdk.Stack) -> None:
    lake = DataLake(stack, "Lake")
    lake.add_table(TELEMETRY)
    with pytest.raises(PropError, match="table must have a name of its own for zone 'raw', got 'telemetry'"):
        lake.add_table(TELEMETRY)


def test_nag_is_clean_with_grants(stack: cdk.Stack, role: iam.Role, nag: Callable[[cdk.Stack], list[str]]) -> None:
    lake = DataLake(stack, "Lake")
    table = lake.add_table(TELEMETRY)
    lake.grant_read("raw", role)
    lake.grant_write("raw", role)
    table.grant_publish(role)
    table.grant_write(role)
    lake.workgroup.grant_query(role)
    assert nag(stack) == []


def test_grants_reach_a_role_from_elsewhere(stack: cdk.Stack, synth: Synth) -> None:
    imported = iam.Role.from_role_arn(stack, "Reader", "arn:aws:iam::123456789012:role/analyst")
    DataLake(stack, "Lake").grant_read("raw", imported)
    assert "s3:GetObject" in synth(stack).actions("Reader")


def test_a_role_of_another_stack_makes_no_circle(app: cdk.App, stack: cdk.Stack, synth: Synth) -> None:
    other = cdk.Stack(app, "Other")
    theirs = iam.Role(other, "Reader", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    DataLake(stack, "Lake").grant_read("raw", theirs)
    assert "s3:GetObject" in synth(other).actions("Reader")
    assert other.dependencies == [stack]


def test_what_holds_data_keeps_its_logical_id(stack: cdk.Stack, synth: Synth) -> None:
    DataLake(stack, "Lake", zones=[Zone(name="raw")]).add_table(TELEMETRY)
    template = synth(stack)
    kinds = ("AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Glue::Database", "AWS::Glue::Table")
    assert {id for kind in kinds for id in template.of_type(kind)} == {
        "LakeKey7B6C155C",
        "LakeAccessLogs4431AB8D",
        "LakeZonerawBucketD7F34696",
        "LakeZonerawDatabase7060E967",
        "LakeZonerawTabletelemetryTable2E974218",
        "LakeQueriesResults4BD376F3",
    }


def test_fails_on_names_that_would_be_too_long(stack: cdk.Stack) -> None:
    with pytest.raises(
        PropError, match="id must make names of at most 128 characters for the data lake, got .*shorten"
    ):
        DataLake(stack, "L" * 130)


def test_names_follow_the_stack_and_the_path(app: cdk.App, synth: Synth) -> None:
    stack = cdk.Stack(app, "Prod", stack_name="plant-7")
    DataLake(Construct(stack, "Data"), "Lake", zones=[Zone(name="raw")])
    template = synth(stack)
    assert template.only("AWS::Glue::Database")["DatabaseInput"]["Name"] == "plant_7_data_lake_raw"
    assert template.only("AWS::Athena::WorkGroup")["Name"] == "plant_7_data_lake_queries"
