"""Firehose transformation: rule records become rows of the raw table, poison goes to the error table."""

from __future__ import annotations

import base64
import functools
import json
import logging
import os
import re
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ml_lens_runtime import table_row
from ml_lens_runtime.env import IOT_PAYLOAD_LIMIT
from ml_lens_runtime.errors import ConfigurationError, ReadingError
from ml_lens_runtime.events import Message
from ml_lens_runtime.rule_record import open_record
from ml_lens_runtime.table_row import Row

logger = logging.getLogger(__name__)
# Lambda answers synchronously with at most 6 MB: https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html
MOST_ANSWER_BYTES = 5_900_000
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,254}")
_NAMESPACE = "CdkMlLens/Ingest"
_ENVELOPE_BYTES = 120  # of one answered record beside its id, data and partition keys


@dataclass(frozen=True, kw_only=True, slots=True)
class TransformSettings:
    """Everything that the transformation reads from its environment."""

    sensors: tuple[str, ...]
    table: str

    @classmethod
    def parse(cls, environ: Mapping[str, str]) -> TransformSettings:
        """Parse the environment.

        Raises
        ------
        ConfigurationError
            ``SENSORS`` (names with commas between) or ``TABLE`` is missing or invalid.
        """
        sensors = tuple(name for name in environ.get("SENSORS", "").split(",") if name)
        if not sensors or len(set(sensors)) != len(sensors) or not all(map(_NAME.fullmatch, sensors)):
            raise ConfigurationError("SENSORS must name at least one column, each once")
        table = environ.get("TABLE", "").strip()
        if not table:
            raise ConfigurationError("TABLE must be set")
        return cls(sensors=sensors, table=table)


@functools.cache
def _settings() -> TransformSettings:
    return TransformSettings.parse(os.environ)


def handler(event: Any, context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Lambda's entry point."""
    return run(env=_settings(), event=event)


def run(*, env: TransformSettings, event: Any) -> dict[str, Any]:
    """Transform one batch; a pure function of the event, so a batch that comes again gives the same answer.

    Every record is answered once: ``Ok`` with its row and partition keys, or ``ProcessingFailed``, and Firehose then
    writes its source under the error prefix. The reason is in this function's log, by record and trace id.
    """
    counts: Counter[str] = Counter()
    answers: list[dict[str, Any]] = []
    size = 0
    for record in event["records"]:
        answer = _answer(record, env=env, counts=counts, room=MOST_ANSWER_BYTES - size)
        size += _bytes(answer)
        answers.append(answer)
    _count(counts, table=env.table)
    return {"records": answers}


def _answer(record: Mapping[str, Any], *, env: TransformSettings, counts: Counter[str], room: int) -> dict[str, Any]:
    trace_id = ""
    try:
        message = _message(record)
        opened = open_record(message)
        trace_id = opened.trace_id
        made = table_row.row(opened, sensors=env.sensors, max_bytes=IOT_PAYLOAD_LIMIT)
        answer = _ok(record["recordId"], made)
        if _bytes(answer) > room:
            raise ReadingError("answer_full", "the answer would pass 6 MB: lower the transform's buffer")
    except ReadingError as fault:
        counts[fault.reason] += 1
        details = {"record_id": record["recordId"], "trace_id": trace_id, "reason": fault.reason}
        logger.warning("record refused", extra={**details, "detail": fault.detail})
        # No data: Firehose writes the source record, and a copy of it could pass 6 MB.
        return {"recordId": record["recordId"], "result": "ProcessingFailed", "data": ""}
    counts["ok"] += 1
    return answer


def _message(record: Mapping[str, Any]) -> Message:
    try:
        body = base64.b64decode(record.get("data", ""), validate=True)
    except (ValueError, TypeError):
        raise ReadingError("bad_encoding", "the record is not base64") from None
    given = record.get("approximateArrivalTimestamp", 0)
    arrived = given if type(given) is int else 0
    return Message(id=str(record["recordId"]), body=body, attempts=1, received_at=arrived, source="direct")


def _ok(record_id: str, made: Row) -> dict[str, Any]:
    return {
        "recordId": record_id,
        "result": "Ok",
        "data": base64.b64encode(made.line).decode(),
        "metadata": {"partitionKeys": {"date": made.date, "device_id": made.device_id}},
    }


def _bytes(answer: Mapping[str, Any]) -> int:
    keys = answer.get("metadata", {}).get("partitionKeys", {})
    return _ENVELOPE_BYTES + len(answer["recordId"]) + len(answer["data"]) + sum(map(len, keys.values()))


def _count(counts: Counter[str], *, table: str) -> None:
    """Print one embedded-metric line: rows, refused records, and the refused ones by reason as plain fields."""
    values = {"RowsWritten": counts["ok"], "RecordsRefused": counts.total() - counts["ok"]}
    metrics = [{"Name": name, "Unit": "Count"} for name in values]
    directive = {"Namespace": _NAMESPACE, "Dimensions": [["Table"]], "Metrics": metrics}
    reasons = {f"refused_{reason}": number for reason, number in counts.items() if reason != "ok"}
    stamp = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
    print(json.dumps({"_aws": stamp, "Table": table, **values, **reasons}))
