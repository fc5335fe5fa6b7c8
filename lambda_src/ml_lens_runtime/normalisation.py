"""Normalisation parameters: the versioned artifact that the ETL job fitted, applied to one value at a time."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ml_lens_runtime.feature_definition import DefinitionError, FeatureSet

Scale = tuple[float, float]  # centre and width: (value - centre) / width
_IDENTITY: Scale = (0.0, 1.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameters:
    """Centre and width of each sensor, of all devices and of each.

    Attributes
    ----------
    version : str
        Hash of what they were fitted on; empty without normalisation.
    everyone : mapping
        Sensor name to scale: for all devices, and for one that was not known when they were fitted.
    devices : mapping
        Device id to its own scales by sensor.
    """

    version: str = ""
    everyone: Mapping[str, Scale] = field(default_factory=dict)
    devices: Mapping[str, Mapping[str, Scale]] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str, *, definition: FeatureSet) -> Parameters:
        """Read the artifact.

        Raises
        ------
        DefinitionError
            It is no such JSON, was fitted by another method, or lacks a sensor of the definition.
        """
        try:
            document = json.loads(text)
            method, everyone = document["method"], _scales(document["all"])
            devices = {name: _scales(entry) for name, entry in document["devices"].items()}
            version = str(document["version"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DefinitionError(f"normalisation parameters: {type(error).__name__}: {error}") from None
        if method != definition.method:
            raise DefinitionError(f"normalisation parameters are for {method!r}, not {definition.method!r}")
        missing = [sensor.name for sensor in definition.sensors if sensor.name not in everyone]
        if missing:
            raise DefinitionError(f"normalisation parameters lack {missing}")
        return cls(version=version, everyone=everyone, devices=devices if definition.per_device else {})

    def scale(self, device_id: str, sensor: str) -> Scale:
        """Return centre and width for one sensor of one device; an unknown device takes those of all."""
        own = self.devices.get(device_id, self.everyone)
        return own[sensor] if sensor in own else self.everyone.get(sensor, _IDENTITY)


def _scales(entry: Mapping[str, Any]) -> dict[str, Scale]:
    return {name: _scale(pair) for name, pair in entry.items()}


def _scale(pair: Any) -> Scale:
    centre, width = (float(number) for number in pair)
    if not (math.isfinite(centre) and math.isfinite(width)):
        raise DefinitionError(f"{pair!r} is not finite")
    return centre, 1.0 if width == 0 else width
