"""A window table, a feature set and settings for the tests of window features."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from ml_lens_runtime.env import Feature, Settings
from ml_lens_runtime.feature_definition import FeatureSet
from ml_lens_runtime.window_env import WindowSettings
from ml_lens_runtime.window_features import Reading
from tests.handlers.support import SETTINGS

START = 1_799_999_000_000  # milliseconds; the rule of these tests receives at 1_799_999_999_000


def make_window_table(client: Any) -> None:
    """Make the table as `DeviceWindows` declares it."""
    names = {"device_id": "S", "event_time": "N"}
    client.create_table(
        TableName="window",
        KeySchema=[
            {"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ("HASH", "RANGE"), strict=True)
        ],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in names.items()],
        BillingMode="PAY_PER_REQUEST",
    )


def feature(name: str, statistic: str, window: int = 0, **changes: Any) -> dict[str, Any]:
    """Return a feature of the temperature, or of none for the gap."""
    sensor = None if statistic == "seconds_since_last" else "temperature"
    least = 2 if statistic == "std" else 1
    defaults = {"sensor": sensor, "window_seconds": window, "minimum_readings": least, "null_value": None}
    return {"name": name, "statistic": statistic, **defaults, **changes}


def document(*features: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a feature set of two sensors."""
    sensors = [
        {"name": "temperature", "minimum": -40.0, "maximum": 200.0, "factor": 1.0, "offset": 0.0},
        {"name": "pressure", "minimum": None, "maximum": None, "factor": 0.5, "offset": 1.0},
    ]
    return {
        "version": 1,
        "sensors": sensors,
        "cleaning": {"allowed_lateness_seconds": 3600, "future_tolerance_seconds": 60, "hold_seconds": 30},
        "normalisation": {"method": "none", "per": "device"},
        "features": list(features) if features else [feature("temperature", "value")],
        **changes,
    }


def definition(*features: dict[str, Any], **changes: Any) -> FeatureSet:
    return FeatureSet.parse(json.dumps(document(*features, **changes)))


def at(seconds: float, temperature: float | None = 20.0, *, delay: float = 1.0, **changes: Any) -> Reading:
    """Return a reading some seconds after the start, received after a delay."""
    event_time = START + round(seconds * 1000)
    values = {} if temperature is None else {"temperature": temperature}
    return replace(
        Reading(
            device_id="turbine-1",
            reading_id=f"r{seconds:g}",
            event_time=event_time,
            received_at=event_time + round(delay * 1000),
            values=values,
        ),
        **changes,
    )


def settings(*features: dict[str, Any], **changes: Any) -> Settings:
    """Return the scorer's settings with window features."""
    found = definition(*features, **changes)
    windows = WindowSettings(definition=found, table="window")
    return replace(SETTINGS, features=tuple(Feature(name=name) for name in found.names), windows=windows)
