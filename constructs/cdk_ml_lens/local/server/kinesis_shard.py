"""One shard's place in an event source mapping: what is next, what failed, when a batch is given up."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from . import destinations, function_roles

BACKOFF_SECONDS = (0.1, 0.2, 0.5, 1.0)
Record = dict[str, Any]


@dataclass(kw_only=True)
class Shard:
    """Progress through one shard.

    Parameters
    ----------
    shard_id
        The shard's id.
    position
        Index of the next record.
    """

    shard_id: str
    position: int
    attempts: int = 0
    retry_at: float = 0.0
    window_opened: float | None = None
    halves: list[int] = field(default_factory=list)  # ends of a failed batch and its parts, innermost last

    def next_batch(self, esm: Record, records: list[Record]) -> list[Record]:
        """Return the next batch, or nothing while there is none or its window is open."""
        size = int(esm.get("BatchSize") or 100)
        end = min(self.position + size, self.halves[-1] if self.halves else len(records))
        batch = records[self.position : end]
        if not batch or self.halves or self.attempts or len(batch) == size:
            return batch
        self.window_opened = time.monotonic() if self.window_opened is None else self.window_opened
        window = float(esm.get("MaximumBatchingWindowInSeconds") or 0)
        return batch if time.monotonic() >= self.window_opened + window else []

    def settle(
        self,
        esm: Record,
        function: Record,
        batch: list[Record],
        result: Record,
        *,
        submit: destinations.Submit,
    ) -> None:
        """Move on past what succeeded, and retry, split or give up the rest."""
        self.window_opened = None
        failed = _first_failure(esm, batch, result)
        if failed is None or failed > 0:
            self._advance(len(batch) if failed is None else failed)
        if failed is None:
            return
        rest = batch[failed:]
        self.retry_at = time.monotonic() + BACKOFF_SECONDS[min(self.attempts, len(BACKOFF_SECONDS) - 1)]
        if not self.halves:
            self.halves.append(self.position + len(rest))  # a retry never takes in newer records
        if result.get("error") and esm.get("BisectBatchOnFunctionError") and len(rest) > 1:
            self.halves.append(self.position + len(rest) // 2)
            return
        self.attempts += 0 if result.get("throttle") else 1
        condition = self._exhausted(esm, rest)
        if condition is not None:
            _send_failure(esm, function, self, rest, condition, submit)
            self._advance(len(rest))

    def _advance(self, count: int) -> None:
        self.position += count
        self.attempts = 0
        self.retry_at = 0.0
        while self.halves and self.halves[-1] <= self.position:
            self.halves.pop()

    def _exhausted(self, esm: Record, rest: list[Record]) -> str | None:
        retries = esm.get("MaximumRetryAttempts")
        if retries is not None and 0 <= int(retries) < self.attempts:
            return "RetryAttemptsExhausted"
        age = esm.get("MaximumRecordAgeInSeconds")
        if age is not None and 0 < int(age) < time.time() - rest[0]["ApproximateArrivalTimestamp"]:
            return "MaximumRecordAgeExceeded"
        return None


def _first_failure(esm: Record, batch: list[Record], result: Record) -> int | None:
    """Return the index of the first record to retry; ``None`` when all succeeded."""
    if result.get("error"):
        return 0
    if "ReportBatchItemFailures" not in (esm.get("FunctionResponseTypes") or []):
        return None
    body = result.get("body")
    answer = json.loads(body) if isinstance(body, str) and body else body
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    reported = {item.get("itemIdentifier") for item in failures or []}
    if not reported:
        return None
    known = [index for index, record in enumerate(batch) if record["SequenceNumber"] in reported]
    return min(known, default=0)  # an unknown or empty identifier fails the whole batch


def _send_failure(
    esm: Record, function: Record, shard: Shard, rest: list[Record], condition: str, submit: destinations.Submit
) -> None:
    target = ((esm.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
    if not target or not function_roles.may_send(function, target):
        return
    config = function.get("config") or function
    document = {
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": config.get("FunctionArn", ""),
            "condition": condition,
            "approximateInvokeCount": shard.attempts,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": _iso(time.time()),
        "KinesisBatchInfo": _batch_info(esm, shard, rest),
    }
    destinations.send(target, document, submit=submit)


def _batch_info(esm: Record, shard: Shard, rest: list[Record]) -> Record:
    return {
        "shardId": shard.shard_id,
        "startSequenceNumber": rest[0]["SequenceNumber"],
        "endSequenceNumber": rest[-1]["SequenceNumber"],
        "approximateArrivalOfFirstRecord": _iso(rest[0]["ApproximateArrivalTimestamp"]),
        "approximateArrivalOfLastRecord": _iso(rest[-1]["ApproximateArrivalTimestamp"]),
        "batchSize": len(rest),
        "streamArn": esm["EventSourceArn"],
    }


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
