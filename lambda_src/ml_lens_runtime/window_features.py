"""Features of one reading from the readings of its device that were known when it arrived; no look-ahead.

The offline counterpart is ``ml_lens_features``; a property test compares both on random series.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ml_lens_runtime.errors import ReadingError
from ml_lens_runtime.feature_definition import FeatureRule, FeatureSet
from ml_lens_runtime.normalisation import Parameters

_HOUR = 3_600_000  # milliseconds
_SECOND = 1000

Features = tuple[float | None, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """One reading that passed the rules which need no other reading.

    Attributes
    ----------
    reading_id : str
        The device's own id, or the trace id of the message.
    event_time, received_at : int
        Milliseconds since the epoch, by the device's and by IoT Core's clock.
    values : mapping of str to float
        What was measured, in the sensors' own units; a sensor without a value is absent.
    """

    device_id: str
    reading_id: str
    event_time: int
    received_at: int
    values: Mapping[str, float]

    @property
    def rank(self) -> tuple[int, str]:
        """Order of arrival; of two readings for the same instant the lower one stays."""
        return self.received_at, self.reading_id


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    """A reading with its missing values held, all values normalised."""

    source: Reading
    values: dict[str, float]


class DeviceWindow:
    """Readings of one device, from which the features of each can be computed.

    Parameters
    ----------
    readings : iterable of Reading
        One per instant, in any order: everything in the look-back of those that are asked for.
    definition : FeatureSet
    parameters : Parameters
    """

    def __init__(self, readings: Iterable[Reading], *, definition: FeatureSet, parameters: Parameters) -> None:
        self._definition = definition
        ordered = sorted(readings, key=lambda reading: reading.event_time)
        held = (_held(ordered, at, definition=definition) for at in range(len(ordered)))
        self._rows = [
            _Row(source=source, values=_normalised(values, source.device_id, definition, parameters))
            for source, values in zip(ordered, held, strict=True)
            if values
        ]
        self._times = [row.source.event_time for row in self._rows]

    def features(self, reading: Reading) -> Features:
        """Return the features in the model's order; None where there is none and nothing stands for it.

        Raises
        ------
        ReadingError
            ``no_value``: no sensor has a value, measured or held. ``duplicate``: another reading of the same
            instant was received before.
        """
        at = bisect_left(self._times, reading.event_time)
        if at == len(self._times) or self._times[at] != reading.event_time:
            raise ReadingError("no_value", "no sensor has a value, and none that may be held")
        if self._rows[at].source.rank != reading.rank:
            raise ReadingError("duplicate", f"{self._rows[at].source.reading_id} of the same instant came before")
        return tuple(self._feature(rule, at) for rule in self._definition.features)

    def _feature(self, rule: FeatureRule, at: int) -> float | None:
        if rule.sensor is None:
            found = self._since_last(rule, at)
        elif rule.statistic == "rate":
            found = self._rate(rule, rule.sensor, at)
        elif rule.statistic == "value":
            found = self._rows[at].values.get(rule.sensor) if rule.minimum_readings == 1 else None
        else:
            values = self._values(rule, rule.sensor, at)
            found = _OVER[rule.statistic](values) if len(values) >= rule.minimum_readings else None
        return rule.null_value if found is None else found

    def _visible(self, first: int, at: int) -> list[_Row]:
        """Return the rows of a range that had been received when row ``at`` was."""
        known = self._rows[at].source.received_at
        return [row for row in self._rows[first : at + 1] if row.source.received_at <= known]

    def _values(self, rule: FeatureRule, sensor: str, at: int) -> list[float]:
        """Return the values in ``(t - window, t]``."""
        first = bisect_right(self._times, self._times[at] - rule.window)
        return [row.values[sensor] for row in self._visible(first, at) if sensor in row.values]

    def _rate(self, rule: FeatureRule, sensor: str, at: int) -> float | None:
        """Return the change per hour since the earliest value in ``[t - window, t)``."""
        now = self._rows[at]
        first = bisect_left(self._times, self._times[at] - rule.window)
        past = [row for row in self._visible(first, at)[:-1] if sensor in row.values]
        if sensor not in now.values or len(past) < rule.minimum_readings:
            return None
        hours = (now.source.event_time - past[0].source.event_time) / _HOUR
        return (now.values[sensor] - past[0].values[sensor]) / hours

    def _since_last(self, rule: FeatureRule, at: int) -> float | None:
        first = bisect_left(self._times, self._times[at] - rule.window)
        past = self._visible(first, at)[:-1]
        if len(past) < rule.minimum_readings:
            return None
        return (self._times[at] - past[-1].source.event_time) / _SECOND


def _held(ordered: Sequence[Reading], at: int, *, definition: FeatureSet) -> dict[str, float]:
    """Return the converted values of a reading, missing ones held from what it could know."""
    found = {}
    for sensor in definition.sensors:
        raw = _last_measured(ordered, at, sensor.name, oldest=ordered[at].event_time - definition.cleaning.hold)
        if raw is not None:
            found[sensor.name] = sensor.convert(raw)
    return found


def _last_measured(ordered: Sequence[Reading], at: int, sensor: str, *, oldest: int) -> float | None:
    known = ordered[at].received_at
    for place in range(at, -1, -1):
        reading = ordered[place]
        if reading.event_time < oldest:
            return None
        if reading.received_at <= known and sensor in reading.values:
            return reading.values[sensor]
    return None


def _normalised(
    values: dict[str, float], device_id: str, definition: FeatureSet, parameters: Parameters
) -> dict[str, float]:
    if definition.method == "none":
        return values
    scales = {name: parameters.scale(device_id, name) for name in values}
    return {name: (value - scales[name][0]) / scales[name][1] for name, value in values.items()}


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _std(values: Sequence[float]) -> float:
    """Return the standard deviation of a sample, by two passes; exactly 0 where nothing varies."""
    if min(values) == max(values):
        return 0.0
    mean = _mean(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


_OVER: dict[str, Callable[[Sequence[float]], float]] = {"mean": _mean, "std": _std, "minimum": min, "maximum": max}
