"""One row of the raw table from one rule record: the columns, the time format of the conversion, the partition."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ml_lens_runtime import readings, strict_json
from ml_lens_runtime.errors import ReadingError, snippet
from ml_lens_runtime.rule_record import Record

_FIRST_YEAR, _LAST_YEAR = 1970, 2261  # what a 64-bit count of nanoseconds holds, which Parquet readers convert to


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A row and where it belongs.

    Attributes
    ----------
    line : bytes
        One JSON line with every column, null where the reading has no value.
    date : str
        Day of ``received_at``, UTC. Not of ``event_time``: a device's clock may be wrong by years and would open any
        number of partitions; ``received_at`` is part of the record, so a replayed record lands where it landed first.
    device_id : str
        The thing name, safe for a key: ``:`` becomes ``.``, which no thing name has, so two devices never share one.
    """

    line: bytes
    date: str
    device_id: str


def row(record: Record, *, sensors: Sequence[str], max_bytes: int) -> Row:
    """Make the row of a record.

    Raises
    ------
    ReadingError
        ``missing_time`` (no time, or none with an offset), ``wrong_type``, ``not_finite``, ``too_large``,
        ``bad_encoding``, ``not_json`` or ``not_an_object``.
    """
    content = _content(record, max_bytes=max_bytes)
    received = _received(record.received_at)
    own_id = readings.reading_id(content)
    columns: dict[str, Any] = {
        "reading_id": record.trace_id if own_id is None else own_id,
        "device_id": record.device_id,
        "event_time": _sql_time(event_time(content.get("timestamp"))),
        "received_at": _sql_time(received),
    }
    for name in sensors:
        columns[name] = number(name, content.get(name))
    return Row(
        line=strict_json.dumps(columns).encode() + b"\n",
        date=f"{received:%Y-%m-%d}",
        device_id=record.device_id.replace(":", "."),
    )


def _content(record: Record, *, max_bytes: int) -> dict[str, Any]:
    size = len(record.identity)
    if size > max_bytes:
        raise ReadingError("too_large", f"{size} bytes, at most {max_bytes}")
    if record.fault is not None:
        raise record.fault
    content = strict_json.loads(record.raw) if record.content is None else record.content
    if not isinstance(content, dict):
        raise ReadingError("not_an_object", f"the payload is a {type(content).__name__}")
    return content


def _received(milliseconds: int) -> datetime:
    try:
        return _checked(datetime.fromtimestamp(milliseconds / 1000, UTC))
    except (ValueError, OverflowError, OSError):
        raise ReadingError("missing_time", f"received_at is {milliseconds}") from None


def event_time(value: object) -> datetime:
    """Return the device's own time of a reading.

    Raises
    ------
    ReadingError
        ``missing_time``: no ISO 8601 text with ``Z`` or an offset, or a year that the table cannot hold.
    """
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        if at is not None and at.tzinfo is not None:
            return _checked(at.astimezone(UTC))
    except (ValueError, OverflowError):
        pass  # said below, as for every other unreadable time
    raise ReadingError("missing_time", f"timestamp must be ISO 8601 with Z or an offset, got {snippet(value)}")


def _checked(at: datetime) -> datetime:
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise ValueError
    return at


def _sql_time(at: datetime) -> str:
    """Write what Firehose's Hive deserializer reads without a format (``java.sql.Timestamp.valueOf``)."""
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}"


def number(name: str, value: object) -> float | None:
    """Return a sensor's number, None where it gave none.

    Raises
    ------
    ReadingError
        ``wrong_type`` or ``not_finite``.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ReadingError("wrong_type", f"{name} is a {type(value).__name__}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ReadingError("not_finite", f"{name} is {number}")
    return number
