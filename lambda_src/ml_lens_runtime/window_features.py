"""Features of one reading from the readings of its device that were known when it arrived; no look-ahead.

Windows are over measured values; only ``value`` takes a held one. The offline counterpart is ``ml_lens_features``;
a property test compares both on random series.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
        self._rows = sorted(readings, key=lambda reading: reading.event_time)
        self._times = [row.event_time for row in self._rows]
        self._values = [_normalised(row, definition, parameters) for row in self._rows]

    def features(self, reading: Reading) -> Features:
        """Return the features in the model's order; None where there is none and nothing stands for it.

        Raises
        ------
        ReadingError
            ``duplicate``: the window holds another reading of the same instant, which was received before.
        """
        at = bisect_left(self._times, reading.event_time)
        if self._rows[at].rank != reading.rank:
            raise ReadingError("duplicate", f"{self._rows[at].reading_id} of the same instant came before")
        return tuple(self._feature(rule, at) for rule in self._definition.features)

    def _feature(self, rule: FeatureRule, at: int) -> float | None:
        if rule.sensor is None:
            found = self._since_last(rule, at)
        elif rule.statistic == "value":
            found = self._held(rule.sensor, at)
        elif rule.statistic == "rate":
            found = self._rate(rule, rule.sensor, at)
        else:
            first = bisect_right(self._times, self._times[at] - rule.window)
            values = [self._values[place][rule.sensor] for place in self._measured(rule.sensor, first, at)]
            found = _OVER[rule.statistic](values) if len(values) >= rule.minimum_readings else None
        return rule.null_value if found is None else found

    def _visible(self, first: int, last: int, at: int) -> Iterator[int]:
        """Yield the places of a range, both ends included, that had been received when the reading ``at`` was."""
        known = self._rows[at].received_at
        step = 1 if first <= last else -1
        return (place for place in range(first, last + step, step) if self._rows[place].received_at <= known)

    def _measured(self, sensor: str, first: int, at: int) -> Iterator[int]:
        return (place for place in self._visible(first, at, at) if sensor in self._values[place])

    def _held(self, sensor: str, at: int) -> float | None:
        """Return the reading's own value, or the last one measured before it if that is recent enough."""
        oldest = self._times[at] - self._definition.cleaning.hold
        for place in self._visible(at, bisect_left(self._times, oldest), at):
            if sensor in self._values[place]:
                return self._values[place][sensor]
        return None

    def _rate(self, rule: FeatureRule, sensor: str, at: int) -> float | None:
        """Return the change per hour since the earliest value in ``[t - window, t)``."""
        first = bisect_left(self._times, self._times[at] - rule.window)
        earliest = next(self._measured(sensor, first, at), at)
        if earliest == at or sensor not in self._values[at]:
            return None
        hours = (self._times[at] - self._times[earliest]) / _HOUR
        return (self._values[at][sensor] - self._values[earliest][sensor]) / hours

    def _since_last(self, rule: FeatureRule, at: int) -> float | None:
        oldest = bisect_left(self._times, self._times[at] - rule.window)
        before = next(self._visible(at - 1, oldest, at), None) if oldest < at else None
        return None if before is None else (self._times[at] - self._times[before]) / _SECOND


def _normalised(reading: Reading, definition: FeatureSet, parameters: Parameters) -> dict[str, float]:
    """Return what was measured, in the unit of the tables and then normalised."""
    found = {}
    for sensor in definition.sensors:
        raw = reading.values.get(sensor.name)
        if raw is not None:
            value = sensor.convert(raw)
            centre, width = parameters.scale(reading.device_id, sensor.name)
            found[sensor.name] = value if definition.method == "none" else (value - centre) * (1.0 / width)
    return found


def _sum(values: Iterable[float]) -> float:
    """Return the exactly rounded sum; nan or an infinity, not an error, where floats do not reach that far."""
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):  # beyond 1.8e308 on the way, or infinities of both signs
        return math.nan


def _mean(values: Sequence[float]) -> float:
    return _sum(values) / len(values)


def _std(values: Sequence[float]) -> float:
    """Return the standard deviation of a sample, by two passes; exactly 0 where nothing varies."""
    if min(values) == max(values):
        return 0.0
    mean = _mean(values)
    return math.sqrt(_sum((value - mean) * (value - mean) for value in values) / (len(values) - 1))


_OVER: dict[str, Callable[[Sequence[float]], float]] = {"mean": _mean, "std": _std, "minimum": min, "maximum": max}
