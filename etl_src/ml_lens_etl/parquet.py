"""Reading and writing the Parquet objects of one device, whole or a span of its time."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from ml_lens_etl.store import store_of
from ml_lens_features.clean import TIME

_TIMES = ("event_time", "received_at")


class InputError(ValueError):
    """An object cannot be read."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """A span of event time, ``[start, end)``; None is without bound. Rows without a time belong to the first span."""

    start: datetime | None = None
    end: datetime | None = None

    def cut(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the rows that lie in it."""
        return rows if self.whole else rows.filter(self.holds())

    def holds(self) -> pl.Expr:
        """Return the condition that a row lies in it; there is none for the whole."""
        time = pl.col("event_time")
        if self.start is None:
            return (time < self.end).fill_null(value=True)
        after = time >= self.start
        return (after if self.end is None else after & (time < self.end)).fill_null(value=False)

    @property
    def whole(self) -> bool:
        """Whether it has no bound at all."""
        return self.start is None and self.end is None


@dataclass(frozen=True, kw_only=True)
class Extent:
    """Rows of an object, and the first and last event time among them."""

    rows: int
    first: datetime | None
    last: datetime | None


def read(uris: Sequence[str], span: Span) -> pl.DataFrame:
    """Return the rows of a span; columns that some objects lack are null there."""
    frames = [_read(uri, span) for uri in uris]
    return frames[0] if len(frames) == 1 else pl.concat(frames, how="diagonal_relaxed")


def _read(uri: str, span: Span) -> pl.DataFrame:
    return _scan(uri).filter(span.holds()).collect() if not span.whole else _scan(uri).collect()


def _scan(uri: str) -> pl.LazyFrame:
    """Return the object's rows with times in UTC: Firehose writes INT96, which names no zone."""
    frame = pl.scan_parquet(store_of(uri).source(uri), hive_partitioning=False)
    try:
        schema = frame.collect_schema()
    except pl.exceptions.ComputeError as error:
        raise InputError(f"{uri} is no Parquet: {error}") from None
    return frame.with_columns(_utc(name, dtype) for name, dtype in schema.items() if name in _TIMES and dtype != TIME)


def _utc(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    named = isinstance(dtype, pl.Datetime) and dtype.time_zone is not None
    return column.cast(TIME) if named else column.cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")


def write(uri: str, rows: pl.DataFrame) -> None:
    """Write one object; Athena and Spark read it alike."""
    body = io.BytesIO()
    rows.write_parquet(body, compression="zstd", compression_level=1)
    store_of(uri).write(uri, body.getvalue())


def extent(uri: str) -> Extent:
    """Return the extent of an object, from its time column alone."""
    time = pl.col("event_time")
    rows, first, last = _scan(uri).select(rows=pl.len(), first=time.min(), last=time.max()).collect().row(0)
    return Extent(rows=rows, first=first, last=last)
