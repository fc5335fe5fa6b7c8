"""What one task does, on either engine: read a device, run the kernel, write its part, return the account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from ml_lens_etl import parquet
from ml_lens_etl.parquet import Extent
from ml_lens_etl.plan import Task
from ml_lens_etl.quality import Measures, Rule
from ml_lens_features.clean import Cleaned, clean_readings
from ml_lens_features.definition import FeatureSet
from ml_lens_features.normalise import Moments, Parameters, fit, normalise
from ml_lens_features.split import split_by_time
from ml_lens_features.windows import window_features


@dataclass(frozen=True, kw_only=True)
class Account:
    """What became of a task's rows: ``rows_in`` is the rows written plus those quarantined.

    Attributes
    ----------
    uri : str or None
        The object written, None for none.
    refused_uri : str or None
        The object with the quarantined rows.
    """

    device: str
    rows_in: int
    quarantined: Mapping[str, int]
    uri: str | None
    refused_uri: str | None
    extent: Extent
    measures: Measures


def run_task(task: Task) -> Account:
    """Run one step over one task."""
    definition = FeatureSet.parse(task.work.feature_set)
    readings = parquet.read(task.uris, task.context)
    done = _STEPS[task.work.step](readings, task, definition)
    rows, refused = task.span.cut(done.rows), task.span.cut(done.quarantined)
    rules = [Rule.parse(text) for text in task.work.rules]
    first, last = rows.select(first=pl.col("event_time").min(), last=pl.col("event_time").max()).row(0)
    return Account(
        device=task.device,
        rows_in=len(task.span.cut(readings)),
        quarantined=dict(refused.group_by("reason").len().sort("reason").iter_rows()),
        uri=_write(task, task.work.output, rows),
        refused_uri=_write(task, task.work.refused, refused),
        extent=Extent(rows=len(rows), first=first, last=last),
        measures=Measures.of(rows, rules),
    )


def fit_task(task: Task) -> tuple[str, dict[str, Moments]]:
    """Return device and moments of a task's training rows; the device is the one that the rows name."""
    definition = FeatureSet.parse(task.work.feature_set)
    rows = parquet.read(task.uris, task.span)
    assert task.work.boundaries is not None  # the step that fits has them
    training = rows.filter(pl.col("event_time") < task.work.boundaries.validation)
    device = str(rows["device_id"][0]) if len(rows) else task.device
    return device, fit(training, definition)


def _clean(readings: pl.DataFrame, task: Task, definition: FeatureSet) -> Cleaned:  # noqa: ARG001 - one of the steps
    return clean_readings(readings, definition)


def _normalise(rows: pl.DataFrame, task: Task, definition: FeatureSet) -> Cleaned:
    assert task.work.parameters is not None  # fitted before
    return _all_kept(normalise(rows, Parameters.parse(task.work.parameters), definition))


def _features(rows: pl.DataFrame, task: Task, definition: FeatureSet) -> Cleaned:
    assert task.work.boundaries is not None
    return _all_kept(split_by_time(window_features(_in_order(rows), definition), task.work.boundaries))


def _in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """A table of ours is sorted by time within a device, one of other makers may not be."""
    return rows if rows["event_time"].is_sorted() else rows.sort("event_time")


def _all_kept(rows: pl.DataFrame) -> Cleaned:
    return Cleaned(rows=rows, quarantined=rows.clear().with_columns(reason=pl.lit(None, dtype=pl.String)))


_STEPS: Mapping[str, Callable[[pl.DataFrame, Task, FeatureSet], Cleaned]] = {
    "clean": _clean,
    "normalise": _normalise,
    "features": _features,
}


def _write(task: Task, prefix: str, rows: pl.DataFrame) -> str | None:
    if rows.is_empty():
        return None
    uri = f"{prefix}device_id={task.device}/part-{task.part:05d}.parquet"
    parquet.write(uri, rows)
    return uri
