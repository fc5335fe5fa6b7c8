"""Normalisation: parameters fitted on the training split, kept as a versioned document, applied alike everywhere."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from ml_lens_features.clean import held
from ml_lens_features.definition import FeatureSet, Normalisation

Scale = tuple[float, float]  # centre, scale


class ParametersError(ValueError):
    """The document has no normalisation parameters."""


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Count, mean, sum of squared deviations and bounds of a sensor's measured values; two of them add up."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    minimum: float = math.inf
    maximum: float = -math.inf

    @classmethod
    def of(cls, values: pl.Series) -> Moments:
        """Return the moments of the values that are not null."""
        known = values.drop_nulls()
        if not len(known):
            return cls()
        frame = (
            known.alias("x")
            .to_frame()
            .select(
                count=pl.len(),
                mean=pl.col("x").mean(),
                var=pl.col("x").var(ddof=0),
                low=pl.col("x").min(),
                high=pl.col("x").max(),
            )
        )
        count, mean, var, low, high = frame.row(0)
        return cls(count=count, mean=mean, squares=var * count, minimum=low, maximum=high)

    def plus(self, other: Moments) -> Moments:
        """Return the moments of both sets of values together."""
        count = self.count + other.count
        if not (self.count and other.count):
            return self if self.count else other
        apart = other.mean - self.mean
        return Moments(
            count=count,
            mean=self.mean + apart * (other.count / count),
            squares=self.squares + other.squares + apart * apart * (self.count * (other.count / count)),
            minimum=min(self.minimum, other.minimum),
            maximum=max(self.maximum, other.maximum),
        )

    def scale(self, method: str) -> Scale:
        """Return centre and scale; a constant or empty set gives a scale of 1."""
        if not self.count or method == "none":
            return 0.0, 1.0
        centre, width = self.mean, math.sqrt(self.squares / self.count)
        if method == "minmax":
            centre, width = self.minimum, self.maximum - self.minimum
        return centre, width if width > 0 else 1.0


def fit(rows: pl.DataFrame, definition: FeatureSet) -> dict[str, Moments]:
    """Return the moments of each sensor's measured values; held ones would count twice."""
    return {name: Moments.of(rows.filter(~pl.col(held(name)))[name]) for name in definition.sensor_names}


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Centre and scale by sensor, of all devices together and of each."""

    method: str
    per: str
    everyone: Mapping[str, Scale]
    devices: Mapping[str, Mapping[str, Scale]]

    @classmethod
    def fitted(cls, moments: Mapping[str, Mapping[str, Moments]], normalisation: Normalisation) -> Parameters:
        """Return the parameters of the moments by device and sensor.

        Devices are added up in the order of their names: the same data gives the same parameters.
        """
        together: dict[str, Moments] = {}
        for _, sensors in sorted(moments.items()):
            for name, found in sensors.items():
                together[name] = together.get(name, Moments()).plus(found)
        method = normalisation.method
        own = {
            device: {name: found.scale(method) for name, found in sensors.items() if found.count}
            for device, sensors in sorted(moments.items())
        }
        return cls(
            method=method,
            per=normalisation.per,
            everyone={name: found.scale(method) for name, found in together.items()},
            devices=own if normalisation.per == "device" and method != "none" else {},
        )

    @classmethod
    def parse(cls, text: str) -> Parameters:
        """Parse the document.

        Raises
        ------
        ParametersError
            It is not JSON or lacks a field.
        """
        try:
            document = json.loads(text)
            return cls(
                method=document["method"],
                per=document["per"],
                everyone=_scales(document["all"]),
                devices={device: _scales(sensors) for device, sensors in document["devices"].items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ParametersError(f"no normalisation parameters: {type(error).__name__} {error}") from None

    def of(self, device: str, sensor: str) -> Scale:
        """Return the device's own centre and scale, or those of all where it has none."""
        own = self.devices.get(device, {}).get(sensor)
        return self.everyone.get(sensor, (0.0, 1.0)) if own is None else own

    def to_json(self) -> str:
        """Return the document; its version is a hash of its content."""
        content = {
            "method": self.method,
            "per": self.per,
            "all": {name: list(scale) for name, scale in self.everyone.items()},
            "devices": {d: {name: list(scale) for name, scale in s.items()} for d, s in self.devices.items()},
        }
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
        return json.dumps({"version": digest, **content}, sort_keys=True)

    @property
    def version(self) -> str:
        """Hash of the content, 16 hexadecimal digits."""
        return str(json.loads(self.to_json())["version"])


def normalise(rows: pl.DataFrame, parameters: Parameters, definition: FeatureSet) -> pl.DataFrame:
    """Return one device's rows with every sensor as ``(value - centre) / scale``; flags and times stay."""
    if parameters.method == "none" or rows.is_empty():
        return rows
    device = str(rows["device_id"][0])
    scales: Iterable[tuple[str, Scale]] = ((name, parameters.of(device, name)) for name in definition.sensor_names)
    # By multiplication, as the scorer does: both have the same last bit.
    return rows.with_columns((pl.col(name) - centre) * (1.0 / scale) for name, (centre, scale) in scales)


def _scales(entry: Mapping[str, list[float]]) -> dict[str, Scale]:
    return {name: (float(centre), float(scale)) for name, (centre, scale) in entry.items()}
