"""FeatureSet: the standard features, the rendered definition, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cdk_ml_lens import Cleaning, FeatureSet, Normalisation, PropError, Sensor, WindowFeature

TEMPERATURE = Sensor(name="temperature")


def test_standard_has_six_features_per_sensor_and_the_gap() -> None:
    features = FeatureSet.standard(sensors=[TEMPERATURE, Sensor(name="pressure")])
    assert features.names[:6] == (
        "temperature",
        "temperature_mean_300s",
        "temperature_std_300s",
        "temperature_minimum_300s",
        "temperature_maximum_300s",
        "temperature_rate_3600s",
    )
    assert features.names[-1] == "seconds_since_last_reading"
    assert len(features.names) == 13


def test_standard_never_gives_a_model_null() -> None:
    assert FeatureSet.standard(sensors=[TEMPERATURE]).nullable == ()


def test_a_value_held_for_longer_than_a_window_leaves_the_window_empty() -> None:
    held = FeatureSet.standard(sensors=[TEMPERATURE], cleaning=Cleaning(hold_seconds=300))
    assert held.nullable == ("temperature_mean_300s", "temperature_minimum_300s", "temperature_maximum_300s")


def test_rendered_definition_holds_every_value() -> None:
    features = FeatureSet(
        sensors=[Sensor(name="t", minimum=-40, maximum=85, factor=0.5, offset=-32)],
        features=[WindowFeature(name="t_mean", sensor="t", statistic="mean", window_seconds=60, null_value=1.5)],
        cleaning=Cleaning(allowed_lateness_seconds=1, future_tolerance_seconds=2, hold_seconds=3),
        normalisation=Normalisation(method="standard", per="all"),
    )
    assert json.loads(features.render()) == {
        "version": 1,
        "sensors": [{"name": "t", "minimum": -40, "maximum": 85, "factor": 0.5, "offset": -32}],
        "cleaning": {"allowed_lateness_seconds": 1, "future_tolerance_seconds": 2, "hold_seconds": 3},
        "normalisation": {"method": "standard", "per": "all"},
        "features": [
            {
                "name": "t_mean",
                "statistic": "mean",
                "sensor": "t",
                "window_seconds": 60,
                "minimum_readings": 1,
                "null_value": 1.5,
            }
        ],
    }


def test_overlap_is_the_longest_look_back() -> None:
    assert FeatureSet.standard(sensors=[TEMPERATURE]).overlap_seconds == 3600
    long_hold = Cleaning(hold_seconds=7200)
    assert FeatureSet.standard(sensors=[TEMPERATURE], cleaning=long_hold).overlap_seconds == 7200


@pytest.mark.parametrize(
    ("kind", "props", "message"),
    [
        (Sensor, {"name": "Temperature"}, "name must be a lower-case column name"),
        (Sensor, {"name": "device_id"}, "name must be a lower-case column name"),
        (Sensor, {"name": "t", "minimum": 2, "maximum": 1}, "minimum must be below 1"),
        (Sensor, {"name": "t", "factor": 0}, "factor must not be zero"),
        (Sensor, {"name": "t", "offset": float("inf")}, "offset must be finite"),
        (WindowFeature, {"name": "f", "statistic": "median", "sensor": "t"}, "statistic must be one of"),
        (WindowFeature, {"name": "f", "statistic": "mean", "sensor": "t"}, "window_seconds must be between 1"),
        (WindowFeature, {"name": "f", "statistic": "mean", "window_seconds": 60}, "sensor must be set"),
        (
            WindowFeature,
            {"name": "f", "statistic": "std", "sensor": "t", "window_seconds": 60},
            "minimum_readings must be between 2",
        ),
        (
            WindowFeature,
            {"name": "f", "statistic": "rate", "sensor": "t", "window_seconds": 60, "null_value": float("nan")},
            "null_value must be finite",
        ),
        (Cleaning, {"hold_seconds": -1}, "hold_seconds must be between 0"),
        (Normalisation, {"method": "robust"}, "method must be a known method"),
    ],
)
def test_fails_for_values_out_of_range(kind: Any, props: dict[str, Any], message: str) -> None:
    with pytest.raises(PropError, match=message):
        kind(**props)


def test_fails_for_double_names_and_unknown_sensors() -> None:
    twice = [WindowFeature(name="f", sensor="t", statistic="value")] * 2
    with pytest.raises(PropError, match="features must name each entry once"):
        FeatureSet(sensors=[Sensor(name="t")], features=twice)
    with pytest.raises(PropError, match="features must be of the sensors"):
        FeatureSet(sensors=[TEMPERATURE], features=twice[:1])
    with pytest.raises(PropError, match="sensors must have at least one entry"):
        FeatureSet.standard(sensors=[])
