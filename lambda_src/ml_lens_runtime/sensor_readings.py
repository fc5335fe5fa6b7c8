"""From a reading's JSON to numbers of its sensors: the cleaning rules that need no other reading."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ml_lens_runtime import table_row
from ml_lens_runtime.errors import ReadingError
from ml_lens_runtime.feature_definition import FeatureSet
from ml_lens_runtime.window_features import Reading

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def observe(
    content: dict[str, Any], *, device_id: str, reading_id: str, received_at: int, definition: FeatureSet
) -> Reading:
    """Return the reading, checked by the rules that the ETL job applies row by row.

    Parameters
    ----------
    received_at : int
        Milliseconds since the epoch, by IoT Core.

    Raises
    ------
    ReadingError
        ``wrong_type``, ``not_finite``, ``missing_time``, ``out_of_range``, ``no_value``, ``late`` or ``in_future``,
        the first of them that applies.
    """
    values = {}
    for sensor in definition.sensors:
        number = table_row.number(sensor.name, content.get(sensor.name))
        if number is not None:
            values[sensor.name] = number
    event_time = (table_row.event_time(content.get("timestamp")) - _EPOCH) // _MILLISECOND
    reading = Reading(
        device_id=device_id, reading_id=reading_id, event_time=event_time, received_at=received_at, values=values
    )
    check(reading, definition=definition)
    return reading


def check(reading: Reading, *, definition: FeatureSet) -> None:
    """Apply the rules of range, absence, lateness and future to a reading.

    Raises
    ------
    ReadingError
        ``out_of_range``, ``no_value``, ``late`` or ``in_future``.
    """
    for sensor in definition.sensors:
        raw = reading.values.get(sensor.name)
        if raw is not None and not sensor.accepts(sensor.convert(raw)):
            bounds = f"{sensor.minimum} and {sensor.maximum}"
            raise ReadingError("out_of_range", f"{sensor.name} is {sensor.convert(raw):.6g}, not within {bounds}")
    if not reading.values:
        raise ReadingError("no_value", "no sensor has a value")
    age = reading.received_at - reading.event_time
    if age > definition.cleaning.allowed_lateness:
        raise ReadingError("late", f"received {age} ms after its time, {definition.cleaning.allowed_lateness} allowed")
    if -age > definition.cleaning.future_tolerance:
        raise ReadingError("in_future", f"{-age} ms ahead of its arrival")
