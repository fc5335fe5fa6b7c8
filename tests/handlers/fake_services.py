"""In-memory stand-ins for DynamoDB and for the model endpoint of the scorer; each says what it does not do."""

# ruff: noqa: N803 (the argument names are boto3's)

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

Row = list[float]
Lines = Callable[[list[Row]], list[str]]


def aws_error(code: str, operation: str = "Operation", **fields: Any) -> ClientError:
    """Return the error that boto3 raises for an error code; `fields` stand beside `Error`."""
    return ClientError({"Error": {"Code": code, "Message": code}, **fields}, operation)  # type: ignore[typeddict-item]


def model_error(status: int) -> ClientError:
    return aws_error("ModelError", "InvokeEndpoint", OriginalStatusCode=status, OriginalMessage="model says no")


def distance_lines(rows: list[Row]) -> list[str]:
    """Score a row by its distance from 20 in the first feature; beyond 10 is an anomaly."""
    scores = [abs(row[0] - 20) for row in rows]
    common = {"threshold": 10.0, "model_version": "v1"}
    return [json.dumps({"score": score, "anomaly": score > 10, **common}) for score in scores]


class FakeEndpoint:
    """A model behind InvokeEndpoint. Does no HTTP, no signing, no variants by weight, no limits of size or rate.

    `failures` are raised one per call, first come; `refuses` makes it answer 400 to a batch that has such a row.
    """

    def __init__(self, lines: Lines = distance_lines) -> None:
        self.lines = lines
        self.failures: list[Exception | None] = []
        self.refuses: Callable[[Row], bool] = lambda row: False
        self.batches: list[list[Row]] = []
        self.requests: list[dict[str, Any]] = []
        self.content_type = "application/jsonlines"

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        rows = self._rows(request)
        self.batches.append(rows)
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        if any(self.refuses(row) for row in rows):
            raise model_error(400)
        body = "".join(f"{line}\n" for line in self.lines(rows)).encode(errors="surrogateescape")
        return {"Body": io.BytesIO(body), "ContentType": self.content_type, "InvokedProductionVariant": "blue"}

    @staticmethod
    def _rows(request: dict[str, Any]) -> list[Row]:
        lines = request["Body"].decode().splitlines()
        if request["ContentType"] == "text/csv":
            return [[float(cell) for cell in line.split(",")] for line in lines]
        return [json.loads(line)["features"] for line in lines]

    @property
    def scored(self) -> list[float]:
        return [row[0] for batch in self.batches for row in batch]


class FakeLedgerTable:
    """A DynamoDB table with all-or-nothing TransactWriteItems of Puts. No TTL, no capacity, no other operation.

    Understands only the two conditions that the ledger uses, and refuses any other. `failures` as in FakeEndpoint.
    """

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.failures: list[Exception | None] = []

    def transact_write_items(self, *, TransactItems: list[dict[str, Any]]) -> dict[str, Any]:
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        puts = [entry["Put"] for entry in TransactItems]
        ids = [put["Item"]["id"]["S"] for put in puts]
        assert len(puts) <= 100
        assert len(set(ids)) == len(ids)
        reasons = [self._reason(put) for put in puts]
        if any(reason["Code"] != "None" for reason in reasons):
            raise aws_error("TransactionCanceledException", CancellationReasons=reasons)
        self.items.update({put["Item"]["id"]["S"]: put["Item"] for put in puts})
        return {}

    def _reason(self, put: dict[str, Any]) -> dict[str, Any]:
        item = self.items.get(put["Item"]["id"]["S"])
        condition = put.get("ConditionExpression")
        if condition is None:
            return {"Code": "None"}
        if condition == "attribute_not_exists(id)":
            holds = item is None
        else:
            assert condition == "#state = :claimed AND lease_until = :seen"
            seen = put["ExpressionAttributeValues"][":seen"]["N"]
            holds = item is not None and item["state"]["S"] == "claimed" and _same(item["lease_until"]["N"], seen)
        if holds:
            return {"Code": "None"}
        return {"Code": "ConditionalCheckFailed"} | ({} if item is None else {"Item": item})


def _same(left: str, right: str) -> bool:
    return math.isclose(float(left), float(right), abs_tol=1e-9)
