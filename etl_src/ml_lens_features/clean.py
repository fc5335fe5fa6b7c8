"""Cleaning one device's readings: each row is kept, or quarantined with the first reason that applies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from ml_lens_features.definition import FeatureSet
from ml_lens_features.visible import OWN, outrun, window_of

IDENTITY = ("reading_id", "device_id", "event_time", "received_at")
REASONS = (
    "wrong_type",
    "not_finite",
    "missing_time",
    "out_of_range",
    "no_value",
    "late",
    "in_future",
    "duplicate",
)
TIME = pl.Datetime("ms", "UTC")
_REASON = "reason"


@dataclass(frozen=True, kw_only=True)
class Cleaned:
    """What became of the readings; together the two frames have every row once.

    Attributes
    ----------
    rows : DataFrame
        Kept readings by event time: identity, sensors converted, ``<sensor>_held``.
    quarantined : DataFrame
        The rest as it came, with its ``reason``.
    """

    rows: pl.DataFrame
    quarantined: pl.DataFrame


def held(sensor: str) -> str:
    """Return the name of the column that says whether a sensor's value is held, not measured."""
    return f"{sensor}_held"


def clean_readings(readings: pl.DataFrame, definition: FeatureSet) -> Cleaned:
    """Convert, check, remove duplicates and hold missing values of one device's readings.

    Parameters
    ----------
    readings : DataFrame
        ``reading_id``, ``device_id``, ``event_time``, ``received_at`` and the sensors, in any order. Times are
        ``Datetime``, sensors numbers or text. A sensor without a column has no value anywhere.
    definition : FeatureSet
        Conversion, ranges, lateness, holding.

    Returns
    -------
    Cleaned

    Notes
    -----
    Of readings with one event time the first to arrive counts (of a tie the smaller ``reading_id``), as it would
    in a stream. Every other reason is of the row alone, so a device may be cut by time anywhere.
    A missing value is the last one measured, if that was visible and is at most ``hold_seconds`` old.
    """
    readings = _with_sensors(readings, definition)
    ordered = readings.sort("event_time", "received_at", "reading_id", nulls_last=True, maintain_order=True)
    judged = ordered.with_columns(_reason(ordered, definition))
    fine = pl.col(_REASON).is_null()
    again = fine & (pl.col("event_time") == pl.col("event_time").shift(1))
    kept = judged.filter(fine).with_columns(pl.when(again).then(pl.lit("duplicate")).alias(_REASON))
    refused = pl.concat([judged.filter(~fine), kept.filter(~fine)])
    rows = kept.filter(fine).select(
        pl.col("reading_id", "device_id"),
        pl.col("event_time", "received_at").cast(TIME),
        *(_converted(sensor.name, definition) for sensor in definition.sensors),
    )
    return Cleaned(rows=_hold(rows, definition), quarantined=refused)


def _with_sensors(readings: pl.DataFrame, definition: FeatureSet) -> pl.DataFrame:
    missing = [name for name in definition.sensor_names if name not in readings.columns]
    return readings.with_columns(pl.lit(None, dtype=pl.Float64).alias(name) for name in missing)


def _number(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Float64, strict=False)


def _converted(name: str, definition: FeatureSet) -> pl.Expr:
    sensor = next(sensor for sensor in definition.sensors if sensor.name == name)
    number = _number(name)
    if (sensor.factor, sensor.offset) == (1.0, 0.0):
        return number.alias(name)
    return (number * sensor.factor + sensor.offset).alias(name)


def _reason(readings: pl.DataFrame, definition: FeatureSet) -> pl.Expr:
    tests = dict(_tests(readings, definition))
    chosen = pl.lit(None, dtype=pl.String)
    for reason in reversed([reason for reason in REASONS if reason in tests]):
        chosen = pl.when(tests[reason]).then(pl.lit(reason)).otherwise(chosen)
    return chosen.alias(_REASON)


def _tests(readings: pl.DataFrame, definition: FeatureSet) -> Iterator[tuple[str, pl.Expr]]:
    names = definition.sensor_names
    text = [name for name in names if not readings.schema[name].is_numeric()]
    if text:
        yield "wrong_type", pl.any_horizontal(pl.col(name).is_not_null() & _number(name).is_null() for name in text)
    yield "not_finite", pl.any_horizontal(~_number(name).is_finite() for name in names).fill_null(value=False)
    yield "missing_time", pl.col("event_time").is_null() | pl.col("received_at").is_null()
    bounds = [test for name in names for test in _beyond(name, definition)]
    if bounds:
        yield "out_of_range", pl.any_horizontal(bounds).fill_null(value=False)
    yield "no_value", pl.all_horizontal(pl.col(name).is_null() for name in names)
    cleaning = definition.cleaning
    age = pl.col("received_at") - pl.col("event_time")
    yield "late", age > pl.duration(seconds=cleaning.allowed_lateness_seconds)
    yield "in_future", -age > pl.duration(seconds=cleaning.future_tolerance_seconds)


def _beyond(name: str, definition: FeatureSet) -> Iterator[pl.Expr]:
    sensor = next(sensor for sensor in definition.sensors if sensor.name == name)
    if sensor.minimum is not None:
        yield _converted(name, definition) < sensor.minimum
    if sensor.maximum is not None:
        yield _converted(name, definition) > sensor.maximum


def _hold(rows: pl.DataFrame, definition: FeatureSet) -> pl.DataFrame:
    """Fill each sensor's nulls, and tell which were filled."""
    seconds = definition.cleaning.hold_seconds
    for name in definition.sensor_names:
        known = rows[name]
        if known.null_count() and seconds:
            rows = rows.with_columns(_last_known(rows, name, seconds))
        rows = rows.with_columns((known.is_null() & rows[name].is_not_null()).alias(held(name)))
    return rows.select(*IDENTITY, *(column for name in definition.sensor_names for column in (name, held(name))))


def _last_known(rows: pl.DataFrame, name: str, seconds: int) -> pl.Series:
    measured_at = pl.when(pl.col(name).is_not_null()).then(pl.col("event_time")).forward_fill()
    recent = pl.col("event_time") - measured_at <= pl.duration(seconds=seconds)
    filled = rows.select(pl.when(recent).then(pl.col(name).forward_fill()).alias(name)).to_series()
    open_at = (rows[name].is_null() & outrun(rows, seconds)).arg_true()
    if not len(open_at):
        return filled
    pairs = window_of(rows, open_at, seconds=seconds, with_itself=False, columns=[name])
    found = pl.concat([chunk.group_by(OWN).agg(pl.col(name).drop_nulls().last()) for chunk in pairs])
    own = pl.DataFrame({OWN: open_at.cast(pl.UInt32)}).join(found, on=OWN, how="left", maintain_order="left")
    return filled.scatter(open_at, own[name])
