"""The tables that a pipeline publishes: columns by the feature set, all versioned."""

from __future__ import annotations

from collections.abc import Sequence

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.feature_set import FeatureSet
from cdk_ml_lens.lake.schema import Column, Table

_READING = (
    Column(name="reading_id"),
    Column(name="device_id"),
    Column(name="event_time", type="timestamp", comment="When it was measured, UTC"),
    Column(name="received_at", type="timestamp", comment="When it arrived, UTC"),
)


def readings(feature_set: FeatureSet, *, normalised: bool) -> Table:
    """Return the table of cleaned readings, or of those brought to one scale.

    Parameters
    ----------
    feature_set : FeatureSet
        Its sensors are the columns.
    normalised : bool
        Whether the values are on one scale.
    """
    unit = "On one scale" if normalised else "In the unit of the feature set"
    values = [Column(name=sensor.name, type="double", comment=unit) for sensor in feature_set.sensors]
    held = [
        Column(name=f"{sensor.name}_held", type="boolean", comment="The value is an earlier one")
        for sensor in feature_set.sensors
    ]
    description = "Readings on one scale" if normalised else "Cleaned readings"
    return Table(name="readings", columns=[*_READING, *values, *held], versioned=True, description=description)


def features(feature_set: FeatureSet) -> Table:
    """Return the table of features: one row per reading, in the model's input order, with the part of its time."""
    reading_id, device_id, *times = _READING
    values = [Column(name=name, type="double") for name in feature_set.names]
    split = Column(name="split", comment="train, validation or test, by event time")
    columns = [device_id, reading_id, *times, *values, split]
    return Table(name="features", columns=columns, versioned=True, description="Features of each reading")


def check_source(feature_set: FeatureSet, columns: Sequence[Column]) -> None:
    """Refuse a source table without the columns that cleaning reads.

    Raises
    ------
    PropError
        With the columns that are missing.
    """
    have = {column.name for column in columns}
    wanted = [*(column.name for column in _READING), *(sensor.name for sensor in feature_set.sensors)]
    missing = [name for name in wanted if name not in have]
    faults = Faults("lake pipeline")
    faults.unless(not missing, "source", "have the columns of readings and sensors", f"no {missing}")
    faults.raise_any()
