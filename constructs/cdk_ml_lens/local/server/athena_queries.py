"""Athena's queries: read as the caller from the catalog's tables by DuckDB, limited and stored by the workgroup."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core.responses import get_account_id, get_region
from ministack.services import athena, glue, s3

from . import athena_functions, athena_results, callers, s3_keys
from .athena_projection import Projection
from .athena_relations import Source, quoted, relation
from .athena_results import QueryError
from .moto_bridge import Answer, error

logger = logging.getLogger("laptop_cloud")
Execution = dict[str, Any]


def install() -> None:
    """Run queries by our rules; statements that change the catalog stay MiniStack's."""
    handle = athena.handle_request

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> Answer:
        callers.remember(headers, query_params)
        answer: Answer = await handle(method, path, headers, body, query_params)
        return answer

    athena.handle_request = handle_request
    app.SERVICE_HANDLERS["athena"] = handle_request
    athena._start_query_execution = _starting(athena._start_query_execution)
    athena._execute_query = _execute
    athena._datum_text = athena_results.datum


def _starting(start: Callable[[dict[str, Any]], Answer]) -> Callable[[dict[str, Any]], Answer]:
    """Return ``start`` with the workgroup's rules.

    Source: https://docs.aws.amazon.com/athena/latest/ug/workgroups-settings-override.html
    """

    def start_query_execution(data: dict[str, Any]) -> Answer:
        name = data.get("WorkGroup", "primary")
        group = athena._workgroups.get(name)
        if group is None or group.get("State") == "DISABLED":
            problem = "is not found" if group is None else "is disabled"
            return error("InvalidRequestException", f"WorkGroup {name} {problem}.")
        config = group.get("Configuration") or {}
        enforced = str(config.get("EnforceWorkGroupConfiguration", True)).lower() == "true" and name != "primary"
        given = {**data, "ResultConfiguration": {}} if enforced else data
        location = (given.get("ResultConfiguration") or {}).get("OutputLocation")
        if location is not None and not location.endswith("/"):
            given = {**given, "ResultConfiguration": {**given["ResultConfiguration"], "OutputLocation": f"{location}/"}}
        return start(given)

    return start_query_execution


async def _execute(query_id: str, query: str, database: str, ddl: Any, catalog: str | None = None) -> None:
    del catalog  # there is one
    execution = athena._executions[query_id]
    execution["Status"]["State"] = "RUNNING"
    started = time.monotonic()
    try:
        if ddl is not None:
            results = athena._run_ddl(ddl, database)
        else:
            results = await asyncio.to_thread(_run, query, database, execution)
        execution["_results"] = {"columns": results["columns"], "rows": results["rows"]}
        execution["_column_types"] = results["column_types"]
        await asyncio.to_thread(athena_results.save, execution)
        execution["Status"]["State"] = "SUCCEEDED"
    except Exception as failure:
        logger.warning("Athena query %s failed: %s", query_id, failure)
        limit = isinstance(failure, _LimitError)
        execution["Status"].update(State="CANCELLED" if limit else "FAILED", StateChangeReason=str(failure)[:2000])
        execution["_error"] = str(failure)
    spent = int((time.monotonic() - started) * 1000)
    execution["Statistics"].update(EngineExecutionTimeInMillis=spent, TotalExecutionTimeInMillis=spent)
    execution["Status"]["CompletionDateTime"] = int(time.time())


class _LimitError(QueryError):
    """The workgroup's limit of scanned bytes was passed."""


def _run(query: str, database: str, execution: Execution) -> dict[str, Any]:
    import duckdb  # type: ignore[import-not-found,unused-ignore]

    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        sql, scanned = _rewritten(query, database, Path(folder))
        execution["Statistics"]["DataScannedInBytes"] = scanned
        limit = athena_results.config(execution).get("BytesScannedCutoffPerQuery")
        if limit is not None and scanned > int(limit):
            raise _LimitError("Query cancelled! : Bytes scanned limit was exceeded")
        athena_functions.prepare(connection)
        result = athena_functions.run(connection, sql)
        described = result.description or []
        kinds = [str(item[1]).upper().split("(")[0].strip() for item in described]
        return {
            "columns": [item[0] for item in described],
            "column_types": [athena._DUCKDB_TYPE_MAP.get(kind, "varchar") for kind in kinds],
            "rows": [list(row) for row in result.fetchall()],
        }


def _rewritten(query: str, database: str, folder: Path) -> tuple[str, int]:
    """Return the query with each table replaced by a relation over its files, and the size of these."""
    edits: list[tuple[int, int, str]] = []
    scanned = 0
    for number, reference in enumerate(athena._table_references(query)):
        name = reference.database or database or "default"
        table = _table(name, reference.table)
        _require_injected(table, query)
        sources, size = _objects(table, folder / str(number))
        scanned += size
        alias = "" if reference.aliased else f" AS {quoted(reference.table)}"
        edits.append((reference.start, reference.end, relation(table, sources) + alias))
        if not reference.aliased:
            edits += athena._qualified_column_prefixes(query, name, reference.table, edits[-1])
    for start, end, replacement in sorted(set(edits), reverse=True):
        query = query[:start] + replacement + query[end:]
    return query.rstrip().rstrip(";"), scanned


def _require_injected(table: dict[str, Any], query: str) -> None:
    projection = Projection.of(table)
    column = None if projection is None else projection.unnamed(query)
    if column is not None:
        raise QueryError(
            f"CONSTRAINT_VIOLATION: For the injected projected partition column {column}, the WHERE clause must "
            "contain only static equality conditions, and at least one such condition must be present."
        )


def _table(database: str, name: str) -> dict[str, Any]:
    place = f"arn:aws:glue:{get_region()}:{get_account_id()}"
    for arn in (f"{place}:catalog", f"{place}:database/{database}", f"{place}:table/{database}/{name}"):
        if (who := callers.denied("glue:GetTable", arn)) is not None:
            raise QueryError(
                f"Insufficient permissions to execute the query. User: {who} is not authorized to perform: "
                f"glue:GetTable on resource: {arn}"
            )
    table = glue._tables.get(f"{database}/{name}")
    if table is None:
        raise QueryError(f"TABLE_NOT_FOUND: Table 'awsdatacatalog.{database}.{name}' does not exist")
    return {**table, "DatabaseName": database}


def _objects(table: dict[str, Any], folder: Path) -> tuple[list[Source], int]:
    """Return every object below the table's location, read as the caller, and their size."""
    location = str((table.get("StorageDescriptor") or {}).get("Location") or "")
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    prefix = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
    if bucket not in s3._buckets or not callers.may("s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": prefix}):
        raise QueryError(f"PERMISSION_DENIED: Access denied when listing {location}")
    keys = sorted(key for key in list(s3._buckets[bucket]["objects"]) if key.startswith(prefix))
    sources: list[Source] = []
    size = 0
    for number, key in enumerate(keys):
        if key.endswith("/") or athena._hidden(key[len(prefix) :]):
            continue
        if not callers.may("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}") or s3_keys.refused(bucket, key) is not None:
            raise QueryError(f"Permission denied on S3 path: s3://{bucket}/{key}")
        body = s3._get_object_data(bucket, key) or b""
        path = folder / f"{number}-{key.rsplit('/', 1)[-1]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        size += len(body)
        sources.append(Source(url=f"s3://{bucket}/{key}", path=path))
    return sources, size
