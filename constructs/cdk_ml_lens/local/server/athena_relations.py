"""A Glue table as a relation of DuckDB: its files by partition, its columns as the catalog types them."""

from __future__ import annotations

import gzip
import json
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ministack.services import firehose, glue

from .athena_projection import Projection, key_pattern
from .athena_results import QueryError
from .firehose_parquet import text

Table = dict[str, Any]
_READABLE = ("parquet", "json")


@dataclass(frozen=True, kw_only=True)
class Source:
    """One object of a table: its URL, and its copy on disk."""

    url: str
    path: Path


def relation(table: Table, sources: list[Source]) -> str:
    """Return SQL for ``table`` over ``sources``; files outside of its partitions are not part of it.

    Every column is cast to its type in the catalog, columns that a file lacks are null, and folders named
    ``key=value`` below a partition mean nothing, as in Athena.

    Raises
    ------
    QueryError
        If the table's format is one that this server does not read.
    """
    storage = table.get("StorageDescriptor") or {}
    columns = {item["Name"].lower(): item["Type"] for item in storage.get("Columns") or []}
    keys = {item["Name"].lower(): item.get("Type", "string") for item in table.get("PartitionKeys") or []}
    kind = table_format(table)
    if kind not in _READABLE:
        raise QueryError(f"NOT_SUPPORTED: the laptop cloud reads tables of parquet and json, not of {kind}")
    parts = [_empty({**columns, **keys})]
    for values, paths in _by_partition(table, list(keys), sources).items():
        reading = _parquet(paths) if kind == "parquet" else _json(paths, columns, storage)
        named = "".join(f", {text(value)} AS {quoted(key)}" for key, value in zip(keys, values, strict=True))
        own = ", ".join(text(name) for name in columns)
        parts.append(f"SELECT COLUMNS(lambda c: lower(c) IN ({own})){named} FROM {reading}")
    typed = ", ".join(_cast(name, hive) for name, hive in {**columns, **keys}.items())
    return f"(SELECT {typed} FROM ({' UNION ALL BY NAME '.join(parts)}))"


def table_format(table: Table) -> str:
    """Return ``parquet``, ``json``, ``iceberg`` or whatever else the table says."""
    parameters = {key.lower(): str(value).lower() for key, value in (table.get("Parameters") or {}).items()}
    if parameters.get("table_type") == "iceberg":
        return "iceberg"
    if "classification" in parameters:
        return parameters["classification"]
    serde = ((table.get("StorageDescriptor") or {}).get("SerdeInfo") or {}).get("SerializationLibrary") or ""
    return next((kind for kind in _READABLE if kind in serde.lower()), serde or "an unknown format")


def _by_partition(table: Table, keys: list[str], sources: list[Source]) -> dict[tuple[str, ...], list[Path]]:
    found: dict[tuple[str, ...], list[Path]] = defaultdict(list)
    if not keys:
        return {(): [source.path for source in sources]} if sources else {}
    projection = Projection.of(table)
    pattern = key_pattern(table, keys)
    registered = {
        tuple(item["Values"]) for item in glue._partitions.get(f"{table['DatabaseName']}/{table['Name']}", [])
    }
    for source in sources:
        match = re.match(pattern, source.url)
        if match is None:
            continue
        values = tuple(match.group(key) for key in keys)
        exists = values in registered if projection is None else projection.holds(dict(zip(keys, values, strict=True)))
        if exists:
            found[values].append(source.path)
    return found


def _empty(columns: dict[str, str]) -> str:
    return "SELECT " + ", ".join(f"NULL AS {quoted(name)}" for name in columns) + " WHERE false"


def _cast(name: str, hive: str) -> str:
    return f"CAST({quoted(name)} AS {firehose._hive_to_duckdb_type(hive)}) AS {quoted(name)}"


def _parquet(paths: list[Path]) -> str:
    listed = ", ".join(text(str(path)) for path in paths)
    return f"read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"


def _json(paths: list[Path], columns: dict[str, str], storage: dict[str, Any]) -> str:
    """Return a reader of lines whose names are folded to those of the columns, as the OpenX deserializer does."""
    parameters = (storage.get("SerdeInfo") or {}).get("Parameters") or {}
    mapped = {value.lower(): key.removeprefix("mapping.") for key, value in parameters.items() if "mapping." in key}
    folded = []
    for path in paths:
        target = path.with_name(f"{path.name}.folded.json")
        target.write_text("".join(_folded(line, mapped, columns) for line in _lines(path)))
        folded.append(text(str(target)))
    types = ", ".join(f"{text(name)}: {text(firehose._hive_to_duckdb_type(hive))}" for name, hive in columns.items())
    options = f"format = 'newline_delimited', columns = {{{types}}}, hive_partitioning = false"
    return f"read_json([{', '.join(folded)}], {options})"


def _lines(path: Path) -> list[str]:
    body = path.read_bytes()
    unpacked = gzip.decompress(body) if path.suffix == ".gz" else body
    return [line for line in unpacked.decode(errors="replace").splitlines() if line.strip()]


def _folded(line: str, mapped: dict[str, str], columns: dict[str, str]) -> str:
    try:
        document = json.loads(line)
    except ValueError as fault:
        raise QueryError(f"HIVE_CURSOR_ERROR: Row is not a valid JSON Object - {fault}") from fault
    if not isinstance(document, dict):
        raise QueryError(f"HIVE_CURSOR_ERROR: Row is not a valid JSON Object - {line[:100]}")
    named = {mapped.get(key.lower(), key.lower()): value for key, value in document.items()}
    row = {
        name: json.dumps(value) if columns[name] == "string" and isinstance(value, dict | list) else value
        for name, value in named.items()
        if name in columns
    }
    return json.dumps(row) + "\n"


def quoted(name: str) -> str:
    """Return ``name`` as an identifier."""
    return '"' + name.replace('"', '""') + '"'
