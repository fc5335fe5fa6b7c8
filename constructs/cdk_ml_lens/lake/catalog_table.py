"""Renders a Table as its entry in the Glue catalog."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_glue as glue
from constructs import Construct

from cdk_ml_lens.lake.schema import Column, Table

NOTHING_PUBLISHED = "version=none/"
_HIVE = "org.apache.hadoop.hive"


@dataclass(frozen=True, kw_only=True)
class _Storage:
    """How Hive, and with it Athena and Spark, reads and writes a format."""

    reader: str
    writer: str
    serde: str
    parameters: tuple[tuple[str, str], ...] = ()


_STORAGE = {
    "parquet": _Storage(
        reader=f"{_HIVE}.ql.io.parquet.MapredParquetInputFormat",
        writer=f"{_HIVE}.ql.io.parquet.MapredParquetOutputFormat",
        serde=f"{_HIVE}.ql.io.parquet.serde.ParquetHiveSerDe",
        parameters=(("serialization.format", "1"),),
    ),
    "json": _Storage(
        reader="org.apache.hadoop.mapred.TextInputFormat",
        writer=f"{_HIVE}.ql.io.HiveIgnoreKeyTextOutputFormat",
        serde="org.openx.data.jsonserde.JsonSerDe",
    ),
}


def catalog_table(scope: Construct, table: Table, *, database: glue.CfnDatabase, location: str) -> glue.CfnTable:
    """Make the catalog's entry of ``table``.

    Source: https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-creating-tables.html for Iceberg, whose
    partitions its writer decides on.
    """
    kind = glue.CfnTable
    iceberg = kind.IcebergInputProperty(metadata_operation="CREATE", version="2")
    return kind(
        scope,
        "Table",
        catalog_id=cdk.Stack.of(scope).account,
        database_name=database.ref,
        table_input=kind.TableInputProperty(
            name=table.name,
            description=table.description,
            table_type="EXTERNAL_TABLE",
            parameters=_parameters(table, location),
            partition_keys=[kind.ColumnProperty(name=item.name, type=item.type) for item in table.partitions],
            storage_descriptor=_storage(table, location),
        ),
        open_table_format_input=kind.OpenTableFormatInputProperty(iceberg_input=iceberg)
        if table.format == "iceberg"
        else None,
    )


def _parameters(table: Table, location: str) -> dict[str, str]:
    lineage = {"derived_from": ",".join(table.derived_from)} if table.derived_from else {}
    if table.format == "iceberg":
        return lineage  # Glue writes table_type and metadata_location itself
    found = {"EXTERNAL": "TRUE", "classification": table.format, **lineage}
    if not table.partitions:
        return found
    levels = "/".join(f"{item.name}=${{{item.name}}}" for item in table.partitions)
    found |= {"projection.enabled": "true", "storage.location.template": f"{location}{levels}"}
    rules = [(item.name, rule) for item in table.partitions for rule in item.projection]
    return found | {f"projection.{name}.{rule}": value for name, (rule, value) in rules}


def _storage(table: Table, location: str) -> glue.CfnTable.StorageDescriptorProperty:
    kind = glue.CfnTable
    if table.format == "iceberg":
        return kind.StorageDescriptorProperty(location=location, columns=_columns(table.columns))
    storage = _STORAGE[table.format]
    return kind.StorageDescriptorProperty(
        location=f"{location}{NOTHING_PUBLISHED}" if table.versioned else location,
        columns=_columns(table.columns),
        input_format=storage.reader,
        output_format=storage.writer,
        serde_info=kind.SerdeInfoProperty(serialization_library=storage.serde, parameters=dict(storage.parameters)),
    )


def _columns(columns: Sequence[Column]) -> list[glue.CfnTable.ColumnProperty]:
    kind = glue.CfnTable.ColumnProperty
    return [kind(name=item.name, type=item.type, comment=item.comment) for item in columns]
