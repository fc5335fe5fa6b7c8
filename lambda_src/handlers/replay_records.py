"""Replay: feeds backed-up source records of a time range into a stream again, hour by hour, with exact counts."""

from __future__ import annotations

import functools
import logging
import math
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from ml_lens_runtime import aws_errors, backup_records, machine_events
from ml_lens_runtime.batching import cut
from ml_lens_runtime.errors import ConfigurationError, ReadingError
from ml_lens_runtime.machine_events import EventError, mapping, text, whole

logger = logging.getLogger(__name__)
COUNTS = ("objects", "unreadable", "listed", "outside", "sent", "failed")
MOST_HOURS = 24 * 31
# PutRecordBatch: https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html
_BATCH_RECORDS, _BATCH_BYTES, _RECORD_BYTES = 500, 4 * 1024 * 1024, 1000 * 1024
_ATTEMPTS = 5
_MARGIN_SECONDS = 120.0  # no new object is begun with less time left
# A backup object has the hour of its oldest record and may have waited 15 minutes for its buffer.
_EARLIER = _HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplaySettings:
    """Everything that the replay reads from its environment."""

    bucket: str
    prefix: str
    stream: str

    @classmethod
    def parse(cls, environ: Mapping[str, str]) -> ReplaySettings:
        """Parse the environment.

        Raises
        ------
        ConfigurationError
            ``BACKUP_BUCKET``, ``BACKUP_PREFIX`` or ``STREAM_NAME`` is missing.
        """
        found = {name: environ.get(name, "").strip() for name in ("BACKUP_BUCKET", "BACKUP_PREFIX", "STREAM_NAME")}
        for name, value in found.items():
            if not value:
                raise ConfigurationError(f"{name} must be set")
        return cls(bucket=found["BACKUP_BUCKET"], prefix=found["BACKUP_PREFIX"], stream=found["STREAM_NAME"])


@dataclass(frozen=True, kw_only=True)
class Tools:
    """Clients, clock and time left."""

    s3: Any
    firehose: Any
    time_left: Callable[[], float]
    sleep: Callable[[float], None] = field(default=time.sleep)


@functools.cache
def _process() -> tuple[ReplaySettings, Any, Any]:
    return ReplaySettings.parse(os.environ), boto3.client("s3"), boto3.client("firehose")


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    env, s3, firehose = _process()
    tools = Tools(s3=s3, firehose=firehose, time_left=lambda: float(context.get_remaining_time_in_millis()) / 1000)
    return run(env=env, event=event, tools=tools)


def run(*, env: ReplaySettings, event: Mapping[str, Any], tools: Tools) -> dict[str, Any]:
    """Do one step: ``plan`` the hours of a range, replay an ``hour`` as far as time allows, or ``sum`` the hours up.

    An object that comes again is sent again: the table's ETL drops what has the same device and time. An event that
    lacks a field, or has another kind of it, is an `EventError`.
    """
    steps: dict[str, Callable[[], dict[str, Any]]] = {
        "plan": lambda: plan(event),
        "hour": lambda: replay_hour(env=env, event=event, tools=tools),
        "sum": lambda: total(event.get("hours")),
    }
    step = text(event, "step")
    if step not in steps:
        raise EventError(f"step must be one of {sorted(steps)}, got {step[:40]!r}")
    return steps[step]()


def plan(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return one piece of work per hour whose objects may hold records of [from, to).

    Raises
    ------
    ValueError
        The range is empty, has no time zone or is longer than 31 days.
    """
    first, last = (_instant(event.get(name)) for name in ("from", "to"))
    if not first < last:
        raise ValueError(f"from must be before to, got {event['from']} and {event['to']}")
    begin = first.replace(minute=0, second=0, microsecond=0) - _EARLIER
    # One hour more at the end as well: the rule stamps a record before the stream takes it.
    count = math.ceil((last + _EARLIER - begin) / _HOUR)
    if count > MOST_HOURS:
        raise ValueError(f"a replay must span at most {MOST_HOURS} hours, got {count}")
    starts = (begin + number * _HOUR for number in range(count))
    hours = [{"step": "hour", "hour": f"{start:%Y/%m/%d/%H}", "after": "", "counts": {}} for start in starts]
    bounds = {"from_ms": _milliseconds(first), "to_ms": _milliseconds(last)}
    return {"hours": [{**piece, **bounds} for piece in hours]}


def replay_hour(*, env: ReplaySettings, event: Mapping[str, Any], tools: Tools) -> dict[str, Any]:
    """Replay the objects of one hour after the key ``after``; ``done`` tells whether none is left.

    A call that AWS refuses ends the step where it is, so that the next one repeats no object that was replayed; it is
    raised when there was none.
    """
    counts, _ = Counter(machine_events.counts(event.get("counts"), COUNTS)), text(event, "hour")
    state = {**event, "after": event.get("after") or "", "done": True}
    before = text(state, "after") if state["after"] else ""
    try:
        for key in _keys(env, event, tools):
            if tools.time_left() < _MARGIN_SECONDS:
                state["done"] = False
                break
            counts += _replay_object(key, env=env, event=event, tools=tools)
            state["after"] = key
    except aws_errors.AWS_ERRORS as error:
        if state["after"] == before:
            raise
        logger.warning("step ended early", extra={"error_code": aws_errors.code(error), "after": state["after"]})
        state["done"] = False
    return {**state, "counts": {name: counts[name] for name in COUNTS}}


def total(hours: Any) -> dict[str, Any]:
    """Sum the hours; ``complete``: every record that was listed is outside the range or was taken by the stream."""
    if not isinstance(hours, list):
        raise EventError(f"hours must be a list, got {type(hours).__name__}")
    each = [machine_events.counts(mapping(hour, "an hour").get("counts"), COUNTS) for hour in hours]
    counts = {name: sum(found[name] for found in each) for name in COUNTS}
    accounted = counts["sent"] + counts["outside"] == counts["listed"]
    return {**counts, "complete": accounted and counts["failed"] == 0 and counts["unreadable"] == 0}


def _keys(env: ReplaySettings, event: Mapping[str, Any], tools: Tools) -> Iterator[str]:
    pages = tools.s3.get_paginator("list_objects_v2")
    where = {"Bucket": env.bucket, "Prefix": f"{env.prefix}{event['hour']}/"}
    after = {"StartAfter": event["after"]} if event.get("after") else {}
    for page in pages.paginate(**where, **after):
        yield from (entry["Key"] for entry in page.get("Contents", []))


def _replay_object(key: str, *, env: ReplaySettings, event: Mapping[str, Any], tools: Tools) -> Counter[str]:
    try:
        body = backup_records.unpack(tools.s3.get_object(Bucket=env.bucket, Key=key)["Body"].read())
    except ReadingError:
        return Counter(objects=1, unreadable=1)
    first, end = whole(event, "from_ms"), whole(event, "to_ms")
    records = list(backup_records.split(body))
    chosen = [stored.body for stored in records if stored.within(first, end)]
    fitting = [body for body in chosen if len(body) <= _RECORD_BYTES]
    parts = cut(fitting, most=_BATCH_RECORDS, size=len, most_bytes=_BATCH_BYTES)
    refused = len(chosen) - len(fitting) + sum(_send(batch, env=env, tools=tools) for batch in parts)
    outside, sent = len(records) - len(chosen), len(chosen) - refused
    return Counter(objects=1, listed=len(records), outside=outside, failed=refused, sent=sent)


def _send(batch: list[bytes], *, env: ReplaySettings, tools: Tools) -> int:
    """Send a batch, the refused part again; return how many were refused to the end."""
    left = batch
    for attempt in range(_ATTEMPTS):
        if attempt > 0:
            tools.sleep(2.0**attempt / 2)
        records = [{"Data": record} for record in left]
        answer = tools.firehose.put_record_batch(DeliveryStreamName=env.stream, Records=records)
        results = answer["RequestResponses"]
        left = [record for record, result in zip(left, results, strict=True) if result.get("ErrorCode")]
        if not left:
            return 0
    return len(left)


def _instant(text: object) -> datetime:
    at = datetime.fromisoformat(str(text)[:40])
    if at.tzinfo is None or not 2000 <= at.year <= 9000:
        raise ValueError(f"a time must have Z or an offset, and a year from 2000, got {at}")
    return at.astimezone(UTC)


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
