"""The feature set as the kernel reads it: sensors, cleaning, normalisation and features, from one JSON document."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any, TypeVar

STATISTICS = ("value", "mean", "std", "minimum", "maximum", "rate", "seconds_since_last")

_Part = TypeVar("_Part", "Sensor", "Cleaning", "Normalisation", "Feature")


class DefinitionError(ValueError):
    """The document is no feature set."""


@dataclass(frozen=True, kw_only=True)
class Sensor:
    """A numeric column: ``value * factor + offset`` must lie within the bounds, inclusive."""

    name: str
    minimum: float | None
    maximum: float | None
    factor: float
    offset: float


@dataclass(frozen=True, kw_only=True)
class Cleaning:
    """Lateness, tolerance of clocks ahead, and how long a missing value is held; all in seconds."""

    allowed_lateness_seconds: int
    future_tolerance_seconds: int
    hold_seconds: int


@dataclass(frozen=True, kw_only=True)
class Normalisation:
    """``method`` none, standard or minmax; ``per`` device or all."""

    method: str
    per: str


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One column of the feature table."""

    name: str
    sensor: str | None
    statistic: str
    window_seconds: int
    minimum_readings: int
    null_value: float | None


@dataclass(frozen=True, kw_only=True)
class FeatureSet:
    """One definition of every feature."""

    sensors: tuple[Sensor, ...]
    cleaning: Cleaning
    normalisation: Normalisation
    features: tuple[Feature, ...]

    @classmethod
    def parse(cls, text: str) -> FeatureSet:
        """Parse the JSON that the construct library renders.

        Raises
        ------
        DefinitionError
            It is not JSON, of another version, lacks a field, or has an unknown statistic or sensor.
        """
        try:
            document = json.loads(text)
            if document["version"] != 1:
                raise DefinitionError(f"a feature set of version 1 is expected, got {document['version']}")
            found = cls(
                sensors=tuple(_part(Sensor, entry) for entry in document["sensors"]),
                cleaning=_part(Cleaning, document["cleaning"]),
                normalisation=_part(Normalisation, document["normalisation"]),
                features=tuple(_part(Feature, entry) for entry in document["features"]),
            )
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            raise DefinitionError(f"no feature set: {type(error).__name__} {error}") from None
        return found.checked()

    def checked(self) -> FeatureSet:
        """Return itself.

        Raises
        ------
        DefinitionError
            A feature has an unknown statistic or sensor.
        """
        known = self.sensor_names
        for feature in self.features:
            if feature.statistic not in STATISTICS:
                raise DefinitionError(f"{feature.name}: unknown statistic {feature.statistic!r}")
            if feature.sensor not in known and feature.statistic != "seconds_since_last":
                raise DefinitionError(f"{feature.name}: unknown sensor {feature.sensor!r}")
        return self

    @property
    def sensor_names(self) -> tuple[str, ...]:
        """Names of the sensors, in their order."""
        return tuple(sensor.name for sensor in self.sensors)

    @property
    def overlap_seconds(self) -> int:
        """How far back a row's features look: a slice of a device needs that much context before it."""
        return max([self.cleaning.hold_seconds, *(feature.window_seconds for feature in self.features)])


def _part(kind: type[_Part], entry: dict[str, Any]) -> _Part:
    return kind(**{each.name: entry[each.name] for each in fields(kind)})
