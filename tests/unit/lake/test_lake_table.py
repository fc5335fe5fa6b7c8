"""LakeTable: its entry in the catalog, and grants that end at its prefix."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from cdk_ml_lens import Column, DataLake, LakeFormation, LakeTable, Partition, PropError, Table
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]
COLUMNS = [Column(name="reading_id"), Column(name="temperature", type="double", comment="degrees Celsius")]
DATED = Table(name="telemetry", columns=COLUMNS, partitions=[Partition.date(since="2026-01-01")])


def made(stack: cdk.Stack, table: Table, zone: str = "raw") -> LakeTable:
    return DataLake(stack, "Lake").add_table(table, zone)


def entry(template: Template) -> dict[str, Any]:
    return dict(template.only("AWS::Glue::Table")["TableInput"])


def flat(value: Any) -> str:
    """Return a joined text with references as <id>."""
    parts = value["Fn::Join"][1] if isinstance(value, dict) else [value]
    return "".join(
        part if isinstance(part, str) else f"<{str(next(iter(part.values()))).replace('::', '.')}>" for part in parts
    )


def test_a_dated_table_is_projected_not_listed(stack: cdk.Stack, synth: Synth) -> None:
    made(stack, DATED)
    found = entry(synth(stack))
    assert found["PartitionKeys"] == [{"Name": "date", "Type": "string"}]
    storage = found["StorageDescriptor"]
    assert [item["Name"] for item in storage["Columns"]] == ["reading_id", "temperature"]
    assert storage["Columns"][1] == {"Name": "temperature", "Type": "double", "Comment": "degrees Celsius"}
    assert flat(storage["Location"]).endswith(">/telemetry/")
    assert found["Parameters"]["projection.enabled"] == "true"
    assert found["Parameters"]["projection.date.range"] == "2026-01-01,NOW+1DAY"
    assert flat(found["Parameters"]["storage.location.template"]).endswith(">/telemetry/date=${date}")


def test_partitions_nest_in_their_order(stack: cdk.Stack, synth: Synth) -> None:
    levels = [Partition.enum("site", values=["oslo"]), Partition.integer("shard", minimum=0, maximum=3)]
    made(stack, Table(name="t", columns=COLUMNS, partitions=levels))
    template = flat(entry(synth(stack))["Parameters"]["storage.location.template"])
    assert template.endswith("/t/site=${site}/shard=${shard}")


def test_a_versioned_table_starts_with_nothing_published(stack: cdk.Stack, synth: Synth) -> None:
    table = made(stack, Table(name="features", columns=COLUMNS, versioned=True, derived_from=["enhanced.readings"]))
    found = entry(synth(stack))
    assert flat(found["StorageDescriptor"]["Location"]).endswith(">/features/version=none/")
    assert found["Parameters"]["derived_from"] == "enhanced.readings"
    assert (table.prefix, table.quarantine_prefix) == ("features/", "_quarantine/features/")
    assert table.first_location == f"{table.location}version=none/"


@pytest.mark.parametrize(
    ("format", "serde"),
    [("parquet", "ql.io.parquet.serde.ParquetHiveSerDe"), ("json", "org.openx.data.jsonserde.JsonSerDe")],
)
def test_a_format_has_its_serde(stack: cdk.Stack, synth: Synth, format: Any, serde: str) -> None:
    made(stack, Table(name="t", columns=COLUMNS, format=format))
    found = entry(synth(stack))
    assert found["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"].endswith(serde)
    assert found["Parameters"]["classification"] == format


def test_an_iceberg_table_is_created_as_such(stack: cdk.Stack, synth: Synth) -> None:
    made(stack, Table(name="t", columns=COLUMNS, format="iceberg"))
    resource = synth(stack).only("AWS::Glue::Table")
    assert resource["OpenTableFormatInput"] == {"IcebergInput": {"MetadataOperation": "CREATE", "Version": "2"}}
    assert "SerdeInfo" not in resource["TableInput"]["StorageDescriptor"]
    assert [item["Name"] for item in resource["TableInput"]["StorageDescriptor"]["Columns"]] == [
        "reading_id",
        "temperature",
    ]


def granted(stack: cdk.Stack, synth: Synth, table: Table, grant: str) -> tuple[set[str], list[dict[str, Any]]]:
    role = iam.Role(stack, "Grantee", assumed_by=iam.ServicePrincipal("glue.amazonaws.com"))
    getattr(made(stack, table), grant)(role)
    template = synth(stack)
    return template.actions("Grantee"), template.statements("Grantee")


def test_reading_ends_at_the_prefix(stack: cdk.Stack, synth: Synth) -> None:
    actions, statements = granted(stack, synth, DATED, "grant_read")
    assert actions == {
        "glue:BatchGetPartition",
        "glue:GetDatabase",
        "glue:GetPartition",
        "glue:GetPartitions",
        "glue:GetTable",
        "kms:Decrypt",
        "s3:GetBucketLocation",
        "s3:GetObject",
        "s3:ListBucket",
    }
    (objects,) = [item["Resource"] for item in statements if item["Action"] == "s3:GetObject"]
    assert objects["Fn::Join"][1][1] == "/telemetry/*"
    (listing,) = [item for item in statements if item["Action"] == "s3:ListBucket"]
    assert listing["Condition"] == {"StringLike": {"s3:prefix": ["telemetry/*"]}}
    (catalog,) = [item["Resource"] for item in statements if "glue:GetTable" in item["Action"]]
    assert [flat(arn).split(":")[5].split("/")[0] for arn in catalog] == ["catalog", "database", "table"]
    assert flat(catalog[2]).endswith(">/telemetry")


def test_writing_adds_files_and_reads_the_schema(stack: cdk.Stack, synth: Synth) -> None:
    actions, _ = granted(stack, synth, DATED, "grant_write")
    assert actions == {
        "glue:GetDatabase",
        "glue:GetTable",
        "glue:GetTableVersion",
        "glue:GetTableVersions",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "s3:AbortMultipartUpload",
        "s3:GetBucketLocation",
        "s3:ListBucketMultipartUploads",
        "s3:PutObject",
    }


def test_publishing_replaces_files_quarantine_and_the_catalogs_pointer(stack: cdk.Stack, synth: Synth) -> None:
    actions, statements = granted(stack, synth, DATED, "grant_publish")
    assert {"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "glue:UpdateTable"} <= actions
    (objects,) = [item["Resource"] for item in statements if "s3:DeleteObject" in item["Action"]]
    assert [item["Fn::Join"][1][1] for item in objects] == ["/telemetry/*", "/_quarantine/telemetry/*"]
    (catalog,) = [item["Resource"] for item in statements if "glue:UpdateTable" in item["Action"]]
    assert [flat(arn).split(":")[5].split("/")[0] for arn in catalog] == ["catalog", "database", "table"]
    assert "*" not in json.dumps(catalog)


def test_writing_to_an_iceberg_table_is_publishing(stack: cdk.Stack, synth: Synth) -> None:
    actions, _ = granted(stack, synth, Table(name="t", columns=COLUMNS, format="iceberg"), "grant_write")
    assert {"glue:UpdateTable", "s3:DeleteObject", "s3:GetObject"} <= actions


def test_a_table_may_catalogue_the_files_of_another_bucket(stack: cdk.Stack, synth: Synth) -> None:
    theirs = s3.Bucket(stack, "Theirs", encryption_key=kms.Key(stack, "TheirKey"))
    role = iam.Role(stack, "Grantee", assumed_by=iam.ServicePrincipal("glue.amazonaws.com"))
    DataLake(stack, "Lake").add_table(DATED, bucket=theirs).grant_read(role)
    template = synth(stack)
    assert flat(entry(template)["StorageDescriptor"]["Location"]).startswith("s3://<Theirs")
    used = {json.dumps(item["Action"]): json.dumps(item["Resource"]) for item in template.statements("Grantee")}
    assert "TheirKey" in used['"kms:Decrypt"']
    assert "Theirs" in used['"s3:GetObject"']


def test_fails_on_another_bucket_without_a_key(stack: cdk.Stack) -> None:
    with pytest.raises(PropError, match="bucket must be encrypted with a KMS key for zone 'raw', got 'Test/Theirs'"):
        DataLake(stack, "Lake").add_table(DATED, bucket=s3.Bucket(stack, "Theirs"))


def test_fails_on_another_bucket_where_lake_formation_governs(stack: cdk.Stack) -> None:
    theirs = s3.Bucket(stack, "Theirs", encryption_key=kms.Key(stack, "TheirKey"))
    with pytest.raises(PropError, match="bucket must be the zone's where Lake Formation governs"):
        DataLake(stack, "Lake", governance=LakeFormation()).add_table(DATED, bucket=theirs)
