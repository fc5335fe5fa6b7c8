"""FeatureSet: one definition of every feature, as data that the ETL kernel and the scorer both follow."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.feature_values import Cleaning, Normalisation, Sensor, Statistic, WindowFeature


@dataclass(frozen=True, kw_only=True)
class FeatureSet:
    """The sensors of a fleet and the features made of them: one value for training and for scoring.

    Parameters
    ----------
    sensors : sequence of Sensor
        What devices measure.
    features : sequence of WindowFeature
        Columns of the feature table and inputs of the model, in this order.
    cleaning : Cleaning
        Default: an hour of lateness, four minutes of holding.
    normalisation : Normalisation
        Default: none.

    Raises
    ------
    PropError
        When a name appears twice or a feature is of an unknown sensor.

    Notes
    -----
    Lens best practice MLREL03-BP02: features are consistent across training and inference.
    """

    sensors: Sequence[Sensor]
    features: Sequence[WindowFeature]
    cleaning: Cleaning = field(default_factory=Cleaning)
    normalisation: Normalisation = field(default_factory=Normalisation)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sensors", tuple(self.sensors))
        object.__setattr__(self, "features", tuple(self.features))
        faults = Faults("feature set")
        known = [sensor.name for sensor in self.sensors]
        for prop, names in (("sensors", known), ("features", list(self.names))):
            faults.unless(len(names) > 0, prop, "have at least one entry", names)
            faults.unless(len(set(names)) == len(names), prop, "name each entry once", names)
        unknown = [f.name for f in self.features if f.sensor is not None and f.sensor not in known]
        faults.unless(not unknown, "features", f"be of the sensors {known}", unknown)
        faults.raise_any()

    @classmethod
    def standard(
        cls,
        *,
        sensors: Sequence[Sensor],
        window_seconds: int = 300,
        rate_seconds: int = 3600,
        cleaning: Cleaning | None = None,
        normalisation: Normalisation | None = None,
    ) -> FeatureSet:
        """Return value, mean, standard deviation, minimum, maximum and rate of each sensor, and the reading's gap.

        No feature is null while the sensor has a value, so a model can take every row; that takes a window longer than
        ``cleaning.hold_seconds``.
        """
        features = [feature for sensor in sensors for feature in _standard(sensor.name, window_seconds, rate_seconds)]
        since = WindowFeature(
            name="seconds_since_last_reading",
            statistic="seconds_since_last",
            window_seconds=rate_seconds,
            null_value=float(rate_seconds),
        )
        return cls(
            sensors=sensors,
            features=[*features, since],
            cleaning=Cleaning() if cleaning is None else cleaning,
            normalisation=Normalisation() if normalisation is None else normalisation,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features, in the model's input order."""
        return tuple(feature.name for feature in self.features)

    @property
    def nullable(self) -> tuple[str, ...]:
        """Names of the features that can be null although their sensor has a value."""
        hold = self.cleaning.hold_seconds
        return tuple(feature.name for feature in self.features if feature.can_be_null(hold_seconds=hold))

    @property
    def overlap_seconds(self) -> int:
        """How far back a reading's features look, in seconds."""
        return max(self.cleaning.hold_seconds, *(feature.window_seconds for feature in self.features))

    def render(self) -> str:
        """Return the definition as the JSON that ETL jobs and the scorer read."""
        document: dict[str, Any] = {
            "version": 1,
            "sensors": [dict(vars(sensor)) for sensor in self.sensors],
            "cleaning": dict(vars(self.cleaning)),
            "normalisation": dict(vars(self.normalisation)),
            "features": [dict(vars(feature)) for feature in self.features],
        }
        return json.dumps(document, separators=(",", ":"))


def _standard(sensor: str, window: int, rate: int) -> list[WindowFeature]:
    def over(statistic: Statistic) -> WindowFeature:
        name = f"{sensor}_{statistic}_{window}s"
        return WindowFeature(name=name, sensor=sensor, statistic=statistic, window_seconds=window)

    return [
        WindowFeature(name=sensor, sensor=sensor, statistic="value"),
        over("mean"),
        WindowFeature(
            name=f"{sensor}_std_{window}s",
            sensor=sensor,
            statistic="std",
            window_seconds=window,
            minimum_readings=2,
            null_value=0.0,
        ),
        over("minimum"),
        over("maximum"),
        WindowFeature(
            name=f"{sensor}_rate_{rate}s", sensor=sensor, statistic="rate", window_seconds=rate, null_value=0.0
        ),
    ]
