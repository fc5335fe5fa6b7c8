"""The feature set as the scorer reads it: sensors, cleaning rules, normalisation and features, from its JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STATISTICS = ("value", "mean", "std", "minimum", "maximum", "rate", "seconds_since_last")
_METHODS = ("none", "standard", "minmax")


class DefinitionError(ValueError):
    """The JSON is no feature set that this code understands."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SensorRule:
    """A numeric field of the reading: ``value * factor + offset``, then the inclusive bounds."""

    name: str
    minimum: float | None
    maximum: float | None
    factor: float
    offset: float

    def convert(self, raw: float) -> float:
        """Return the value in the unit of the tables."""
        return raw * self.factor + self.offset

    def accepts(self, value: float) -> bool:
        """Tell whether a converted value is finite and within the bounds."""
        low = self.minimum is None or value >= self.minimum
        return math.isfinite(value) and low and (self.maximum is None or value <= self.maximum)


@dataclass(frozen=True, kw_only=True, slots=True)
class CleaningRules:
    """Which readings are kept, and how far a missing value is bridged; in milliseconds."""

    allowed_lateness: int
    future_tolerance: int
    hold: int


@dataclass(frozen=True, kw_only=True, slots=True)
class FeatureRule:
    """One feature; its window in milliseconds."""

    name: str
    sensor: str | None
    statistic: str
    window: int
    minimum_readings: int
    null_value: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class FeatureSet:
    """The whole definition, as ``cdk_ml_lens.FeatureSet.render`` writes it."""

    sensors: tuple[SensorRule, ...]
    cleaning: CleaningRules
    method: str
    per_device: bool
    features: tuple[FeatureRule, ...]

    @classmethod
    def parse(cls, text: str) -> FeatureSet:
        """Read the JSON.

        Raises
        ------
        DefinitionError
            It is no JSON, of another version, or a field is missing or of the wrong type.
        """
        try:
            document = json.loads(text)
            if document["version"] != 1:
                raise DefinitionError(f"version is {document['version']!r}, this code knows 1")
            cleaning, scaling = document["cleaning"], document["normalisation"]
            found = cls(
                sensors=tuple(_sensor(entry) for entry in document["sensors"]),
                cleaning=CleaningRules(
                    allowed_lateness=_milliseconds(cleaning["allowed_lateness_seconds"]),
                    future_tolerance=_milliseconds(cleaning["future_tolerance_seconds"]),
                    hold=_milliseconds(cleaning["hold_seconds"]),
                ),
                method=_one_of(scaling["method"], _METHODS),
                per_device=_one_of(scaling["per"], ("device", "all")) == "device",
                features=tuple(_feature(entry) for entry in document["features"]),
            )
        except DefinitionError:
            raise
        except (KeyError, TypeError, ValueError) as error:
            raise DefinitionError(f"{type(error).__name__}: {error}") from None
        _check_names(found)
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features, in the model's input order."""
        return tuple(feature.name for feature in self.features)

    @property
    def lookback(self) -> int:
        """How far before a reading others can change its features, in milliseconds."""
        return max(self.cleaning.hold, *(feature.window for feature in self.features))

    @property
    def seconds_of_use(self) -> int:
        """How long after it was received a reading can be part of another one's window, in whole seconds."""
        return (self.lookback + self.cleaning.allowed_lateness) // 1000


def _sensor(entry: Mapping[str, Any]) -> SensorRule:
    return SensorRule(
        name=_text(entry["name"]),
        minimum=_maybe(entry["minimum"]),
        maximum=_maybe(entry["maximum"]),
        factor=_number(entry["factor"]),
        offset=_number(entry["offset"]),
    )


def _feature(entry: Mapping[str, Any]) -> FeatureRule:
    statistic = _one_of(entry["statistic"], STATISTICS)
    return FeatureRule(
        name=_text(entry["name"]),
        sensor=None if statistic == "seconds_since_last" else _text(entry["sensor"]),
        statistic=statistic,
        window=_milliseconds(entry["window_seconds"]),
        minimum_readings=max(int(entry["minimum_readings"]), 2 if statistic == "std" else 1),
        null_value=_maybe(entry["null_value"]),
    )


def _check_names(found: FeatureSet) -> None:
    sensors = [sensor.name for sensor in found.sensors]
    for what, names in (("sensors", sensors), ("features", list(found.names))):
        if not names or len(set(names)) != len(names):
            raise DefinitionError(f"{what} must have at least one entry, each name once")
    unknown = [f.sensor for f in found.features if f.sensor is not None and f.sensor not in sensors]
    if unknown:
        raise DefinitionError(f"features are of sensors that are not declared: {unknown}")


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise DefinitionError(f"a name is {value!r}")
    return value


def _one_of(value: Any, known: tuple[str, ...]) -> str:
    if value not in known:
        raise DefinitionError(f"{value!r} is none of {known}")
    return str(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise DefinitionError(f"{value!r} is no finite number")
    return float(value)


def _maybe(value: Any) -> float | None:
    return None if value is None else _number(value)


def _milliseconds(value: Any) -> int:
    seconds = _number(value)
    if seconds < 0 or seconds != int(seconds):
        raise DefinitionError(f"{value!r} is no number of whole seconds")
    return int(seconds) * 1000
