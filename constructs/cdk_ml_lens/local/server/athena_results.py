"""Results of Athena's queries: where the workgroup wants them, as the CSV that Athena writes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ministack.services import athena, s3

from . import callers, s3_keys

Execution = dict[str, Any]


class QueryError(Exception):
    """A query that Athena would fail; the message is its StateChangeReason."""


def config(execution: Execution) -> dict[str, Any]:
    """Return the configuration of the workgroup that a query runs in."""
    found: dict[str, Any] = (athena._workgroups.get(execution["WorkGroup"]) or {}).get("Configuration") or {}
    return found


def save(execution: Execution) -> None:
    """Write the results as Athena does: all values in quotation marks, nothing for null."""
    results = execution["_results"]
    rows = [results["columns"], *results["rows"]]
    body = "".join(",".join(_cell(value) for value in row) + "\n" for row in rows).encode()
    bucket, _, key = execution["ResultConfiguration"]["OutputLocation"].removeprefix("s3://").partition("/")
    encryption = (config(execution).get("ResultConfiguration") or {}).get("EncryptionConfiguration") or {}
    headers = {"content-type": "application/octet-stream"}
    if encryption.get("EncryptionOption") == "SSE_KMS" and encryption.get("KmsKey"):
        headers |= s3_keys.header(encryption["KmsKey"])
    may = callers.may("s3:PutObject", f"arn:aws:s3:::{bucket}/{key}")
    if not may or s3_keys.refused_write(bucket, key, headers) is not None:
        raise QueryError(f"Access denied when writing output to url: s3://{bucket}/{key}")
    status, _, answer = s3._put_object(bucket, key, body, headers)
    if status >= 300:
        raise QueryError(f"Unable to write to the output bucket {bucket}: {answer.decode(errors='replace')}")


def _cell(value: object) -> str:
    return "" if value is None else '"' + datum(value).replace('"', '""') + '"'


def datum(value: object) -> str:
    """Return a value as Athena writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03d}"
    return str(value)
