"""Window features of one device: sliding windows over what each reading could know, and nothing after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from ml_lens_features.clean import held
from ml_lens_features.definition import Feature, FeatureSet
from ml_lens_features.visible import OWN, outrun, window_of

# Polars slides sums over the window; where it spans less than this share of the series, their error would show.
_ILL_CONDITIONED = 1e-4
_PER_HOUR = 3_600_000.0  # of a rate per millisecond
_SPREAD = ("mean", "std", "minimum", "maximum")


def window_features(rows: pl.DataFrame, definition: FeatureSet) -> pl.DataFrame:
    """Compute every feature of one device's cleaned (and normalised) readings.

    Parameters
    ----------
    rows : DataFrame
        Rows of `clean_readings`, sorted by event time; with ``overlap_seconds`` of context before a slice.
    definition : FeatureSet
        The features, in the order of the columns.

    Returns
    -------
    DataFrame
        ``device_id``, ``reading_id``, ``event_time``, ``received_at`` and one ``Float64`` column per feature.

    Notes
    -----
    Statistics are of measured values in ``(t - window, t]``; ``rate`` is the change per hour since the earliest
    measured value in ``[t - window, t)``; only ``value`` takes a held one. Readings that arrived later than the
    row itself are not seen by it: a feature is what the scorer could know.
    Within one window, results differ from exact arithmetic by less than 1e-10 of its largest value.
    """
    measured = rows.select(
        "event_time",
        "received_at",
        *(pl.when(~pl.col(held(name))).then(pl.col(name)).alias(name) for name in definition.sensor_names),
    )
    late = outrun(measured, definition.overlap_seconds)
    computed: dict[str, pl.Series] = {
        feature.name: rows[str(feature.sensor)] for feature in definition.features if feature.statistic == "value"
    }
    for sensor, seconds, features in _groups(definition, _SPREAD):
        computed |= _spread(measured, late, sensor=sensor, seconds=seconds, features=features)
    for feature in definition.features:
        if feature.statistic == "rate":
            computed[feature.name] = _rate(measured, late, feature)
        elif feature.statistic == "seconds_since_last":
            computed[feature.name] = _since_last(measured, late, feature)
    return rows.select("device_id", "reading_id", "event_time", "received_at").with_columns(
        _filled(computed[feature.name], feature) for feature in definition.features
    )


def _filled(values: pl.Series, feature: Feature) -> pl.Series:
    values = values.cast(pl.Float64).alias(feature.name)
    return values if feature.null_value is None else values.fill_null(feature.null_value)


def _groups(definition: FeatureSet, statistics: Sequence[str]) -> Iterator[tuple[str, int, list[Feature]]]:
    """Yield the features that share a sensor and a window, so that each window is visited once."""
    chosen = [feature for feature in definition.features if feature.statistic in statistics]
    for sensor, seconds in dict.fromkeys((str(feature.sensor), feature.window_seconds) for feature in chosen):
        yield sensor, seconds, [f for f in chosen if (f.sensor, f.window_seconds) == (sensor, seconds)]


def _spread(
    rows: pl.DataFrame, late: pl.Series, *, sensor: str, seconds: int, features: Sequence[Feature]
) -> dict[str, pl.Series]:
    """Compute mean, std, minimum and maximum of one window: sliding where that is exact, from the pairs elsewhere."""
    pivot = next((value for value in rows[sensor].drop_nulls().head(1)), 0.0)
    shifted = rows.select("event_time", x=pl.col(sensor) - pivot)
    whole = not rows[sensor].null_count() and all(feature.minimum_readings <= 2 for feature in features)
    slid = shifted.select(_sliding(seconds, whole=whole)).with_columns(
        minimum=rows.select(_rolling(pl.col(sensor), "min", seconds)).to_series(),
        maximum=rows.select(_rolling(pl.col(sensor), "max", seconds)).to_series(),
    )
    if whole:
        slid = slid.with_columns(count=pl.when(pl.col("std").is_null()).then(1.0).otherwise(2.0))
    flat = pl.col("minimum") == pl.col("maximum")
    slid = slid.with_columns(
        mean=pl.when(flat).then(pl.col("minimum")).otherwise(pl.col("mean") + pivot),
        std=pl.when(flat & (pl.col("count") > 1)).then(0.0).otherwise(pl.col("std")),
    )
    reach: Any = shifted["x"].abs().max()
    narrow = (slid["maximum"] - slid["minimum"]).is_between(0.0, _ILL_CONDITIONED * (reach or 0.0), closed="right")
    again = (late | narrow.fill_null(value=False)).arg_true()
    exact = _exact_spread(rows, again, sensor=sensor, seconds=seconds, pivot=pivot) if len(again) else None
    found = {}
    for feature in features:
        values = slid[feature.statistic]
        counts = slid["count"]
        if exact is not None:
            values, counts = (v.scatter(again, exact[c]) for v, c in ((values, feature.statistic), (counts, "count")))
        enough = counts >= feature.minimum_readings
        found[feature.name] = pl.select(pl.when(enough).then(values)).to_series()
    return found


def _rolling(column: pl.Expr, statistic: str, seconds: int) -> pl.Expr:
    method = getattr(column, f"rolling_{statistic}_by")
    rolled: pl.Expr = method("event_time", window_size=f"{seconds}s", closed="right", min_samples=1)
    return rolled


def _sliding(seconds: int, *, whole: bool) -> list[pl.Expr]:
    """Without a null every window has its own row at least, and the deviation tells whether it has two."""
    x = pl.col("x")
    mean, std = _rolling(x, "mean", seconds).alias("mean"), _rolling(x, "std", seconds).alias("std")
    if whole:
        return [mean, std]
    return [mean, std, _rolling(x.is_not_null().cast(pl.Float64), "sum", seconds).alias("count")]


def _exact_spread(rows: pl.DataFrame, positions: pl.Series, *, sensor: str, seconds: int, pivot: float) -> pl.DataFrame:
    x = pl.col(sensor)
    flat = x.min() == x.max()
    parts = [
        chunk.group_by(OWN).agg(
            count=x.count().cast(pl.Float64),
            mean=pl.when(flat).then(x.min()).otherwise((x - pivot).mean() + pivot),
            std=pl.when(flat & (x.count() > 1)).then(0.0).otherwise((x - x.mean()).std()),
            minimum=x.min(),
            maximum=x.max(),
        )
        for chunk in window_of(rows, positions, seconds=seconds, with_itself=True, columns=[sensor])
    ]
    return _in_order(parts, positions)


def _in_order(parts: Sequence[pl.DataFrame], positions: pl.Series) -> pl.DataFrame:
    own = pl.DataFrame({OWN: positions.cast(pl.UInt32)})
    return own.join(pl.concat(parts), on=OWN, how="left", maintain_order="left")


def _rate(rows: pl.DataFrame, late: pl.Series, feature: Feature) -> pl.Series:
    sensor = str(feature.sensor)
    known = rows.select("event_time", value=sensor).drop_nulls()
    start = rows["event_time"] - pl.duration(seconds=feature.window_seconds)
    at = known["event_time"].search_sorted(start, side="left").clip(upper_bound=max(len(known) - 1, 0))
    first = known[at] if len(known) else known.clear(len(rows))
    first = first.with_columns(pl.when(pl.col("event_time") < rows["event_time"]).then(pl.all()))
    again = late.arg_true()
    if len(again):
        exact = _first_known(rows, again, sensor=sensor, seconds=feature.window_seconds)
        first = first.with_columns(first[name].scatter(again, exact[name]) for name in ("event_time", "value"))
    hours = (rows["event_time"] - first["event_time"]).dt.total_milliseconds() / _PER_HOUR
    return (rows[sensor] - first["value"]) / hours


def _first_known(rows: pl.DataFrame, positions: pl.Series, *, sensor: str, seconds: int) -> pl.DataFrame:
    columns = ["event_time", sensor]
    parts = [
        chunk.filter(pl.col(sensor).is_not_null())
        .group_by(OWN)
        .agg(pl.col("event_time").first(), value=pl.col(sensor).first())
        for chunk in window_of(rows, positions, seconds=seconds, with_itself=False, columns=columns)
    ]
    return _in_order(parts, positions)


def _since_last(rows: pl.DataFrame, late: pl.Series, feature: Feature) -> pl.Series:
    seconds = feature.window_seconds
    before = rows["event_time"].shift(1)
    again = late.arg_true()
    if len(again):
        pairs = window_of(rows, again, seconds=seconds, with_itself=False, columns=["event_time"])
        exact = _in_order([chunk.group_by(OWN).agg(pl.col("event_time").last()) for chunk in pairs], again)
        before = before.scatter(again, exact["event_time"])
    age = (rows["event_time"] - before).dt.total_milliseconds() / 1000.0
    return pl.select(pl.when(age <= seconds).then(age)).to_series()
