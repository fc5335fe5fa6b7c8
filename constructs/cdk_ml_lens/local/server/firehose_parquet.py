"""Firehose's record format conversion: JSON to one Parquet file with the columns of a Glue table."""

from __future__ import annotations

import json
import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ministack.services import firehose

from .firehose_items import Item, Refused, not_converted

Config = dict[str, Any]
Row = dict[str, Any]
# java.sql.Timestamp.valueOf, which Hive's deserializer uses
_TIMESTAMP = re.compile(r"\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d{1,2}:\d{1,2}(\.\d{1,9})?")
_ZULU = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z")  # what OpenX reads besides
_COMPRESSION = {"GZIP": "gzip", "UNCOMPRESSED": "uncompressed"}


def convert(client: Any, conversion: Config, items: list[Item]) -> tuple[bytes | None, list[Refused]]:
    """Return the Parquet file of all records that fit the table, and the others; ``None`` if no record fits.

    Timestamps are written in milliseconds.

    Parameters
    ----------
    client
        Glue client that acts as the role of the schema configuration.
    conversion
        ``DataFormatConversionConfiguration``.
    items
        Records: one or more JSON objects each.
    """
    schema = conversion.get("SchemaConfiguration") or {}
    place = {key[0].lower() + key[1:]: schema.get(key) for key in ("CatalogId", "DatabaseName", "TableName", "Region")}
    table = {**place, "versionId": schema.get("VersionId", "LATEST")}
    try:
        columns = _columns(client, schema)
    except Exception as failure:  # no table, or not allowed to read it: no record can be converted
        return None, [not_converted(item, "DataFormatConversion.EntityNotFound", str(failure), table) for item in items]
    refused: list[Refused] = []
    fitting: list[tuple[Item, list[Row]]] = []
    for item in items:
        try:
            fitting.append((item, [_row(document, columns, conversion) for document in _documents(item)]))
        except firehose._DeliveryError as error:
            refused.append(not_converted(item, error.code, error.message, table))
    body, misfits = _written(fitting, columns, conversion)
    mismatch = firehose._conversion_error("mismatch")
    return body, refused + [not_converted(item, mismatch.code, mismatch.message, table) for item in misfits]


def _columns(client: Any, schema: Config) -> dict[str, str]:
    table = client.get_table(DatabaseName=schema.get("DatabaseName", ""), Name=schema.get("TableName", ""))["Table"]
    return {column["Name"].lower(): column["Type"].lower() for column in table["StorageDescriptor"]["Columns"]}


def _documents(item: Item) -> list[Row]:
    found: list[Row] = firehose._json_documents(item.data)
    return found


def _row(document: Row, columns: dict[str, str], conversion: Config) -> Row:
    values = {name.lower(): value for name, value in document.items()}
    row = {name: values.get(name) for name in columns}
    for name, kind in columns.items():
        if kind == "timestamp" and row[name] is not None:
            row[name] = _timestamp(row[name], conversion)
        elif kind == "string" and isinstance(row[name], dict | list):
            row[name] = json.dumps(row[name])
    return row


def _timestamp(value: object, conversion: Config) -> str:
    """Return ``value`` as DuckDB reads it; ``millis`` as a format takes epoch milliseconds."""
    deserializer = (conversion.get("InputFormatConfiguration") or {}).get("Deserializer") or {}
    formats = (deserializer.get("HiveJsonSerDe") or {}).get("TimestampFormats") or []
    if isinstance(value, str) and _TIMESTAMP.fullmatch(value):
        return value
    if isinstance(value, str) and "OpenXJsonSerDe" in deserializer and _ZULU.fullmatch(value):
        return value.replace("T", " ").removesuffix("Z")
    if isinstance(value, int) and not isinstance(value, bool) and "millis" in formats:
        return f"{datetime.fromtimestamp(value / 1000, UTC):%Y-%m-%d %H:%M:%S.%f}"
    raise firehose._conversion_error("mismatch")


def _written(
    fitting: list[tuple[Item, list[Row]]], columns: dict[str, str], conversion: Config
) -> tuple[bytes | None, list[Item]]:
    """Return the file, without records whose values do not fit; halves are tried until these are found."""
    misfits: list[Item] = []
    good: list[tuple[Item, list[Row]]] = []
    pending = [fitting] if fitting else []
    body: bytes | None = None
    while pending:
        part = pending.pop()
        body = _copied(part, columns, conversion)
        if body is not None:
            good += part
        elif len(part) == 1:
            misfits.append(part[0][0])
        else:
            middle = len(part) // 2
            pending += [part[middle:], part[:middle]]
    whole = len(good) == len(fitting)
    return (body if whole or not good else _copied(good, columns, conversion)), misfits


def _copied(part: list[tuple[Item, list[Row]]], columns: dict[str, str], conversion: Config) -> bytes | None:
    """Return one Parquet file with the rows in order; ``None`` if a value does not fit its column."""
    import duckdb  # type: ignore[import-not-found,unused-ignore]

    serializer = ((conversion.get("OutputFormatConfiguration") or {}).get("Serializer") or {}).get("ParquetSerDe") or {}
    compression = _COMPRESSION.get(serializer.get("Compression", "SNAPPY"), "snappy")
    types = ", ".join(f"{text(name)}: {text(_duckdb_type(kind))}" for name, kind in columns.items())
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        source, target = Path(folder) / "rows.json", Path(folder) / "rows.parquet"
        source.write_text("".join(json.dumps(row) + "\n" for _, rows in part for row in rows))
        reading = f"read_json({text(str(source))}, format = 'newline_delimited', columns = {{{types}}})"
        options = f"(FORMAT parquet, COMPRESSION {compression})"
        try:
            connection.execute(f"COPY (SELECT * FROM {reading}) TO {text(str(target))} {options}")
        except duckdb.Error:
            return None
        return target.read_bytes()


def _duckdb_type(kind: str) -> str:
    found: str = firehose._hive_to_duckdb_type(kind)
    return "TIMESTAMP_MS" if found == "TIMESTAMP" else found


def text(value: str) -> str:
    """Return ``value`` as a literal of SQL."""
    return "'" + value.replace("'", "''") + "'"
