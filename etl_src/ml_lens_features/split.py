"""Training, validation and test rows by event time: a model is never tested on what happened before its training."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

NAMES = ("train", "validation", "test")


@dataclass(frozen=True, kw_only=True)
class Boundaries:
    """Where validation and test begin; both inclusive."""

    validation: datetime
    test: datetime

    @classmethod
    def between(cls, first: datetime, last: datetime, *, train: float = 0.7, validation: float = 0.15) -> Boundaries:
        """Cut the time from the first to the last reading by shares.

        Raises
        ------
        ValueError
            The shares are not positive or leave nothing for the test.
        """
        if not (train > 0 and validation > 0 and train + validation < 1):
            raise ValueError(f"shares must be positive and leave a test part, got {train} and {validation}")
        return cls(validation=_at(first, last, train), test=_at(first, last, train + validation))


def split_by_time(rows: pl.DataFrame, boundaries: Boundaries) -> pl.DataFrame:
    """Return the rows with a column ``split``: train, validation or test."""
    time = pl.col("event_time")
    part = pl.when(time < boundaries.validation).then(pl.lit(NAMES[0]))
    return rows.with_columns(
        part.when(time < boundaries.test).then(pl.lit(NAMES[1])).otherwise(pl.lit(NAMES[2])).alias("split")
    )


def _at(first: datetime, last: datetime, share: float) -> datetime:
    """Whole milliseconds, as the tables keep them."""
    moment = first + (last - first) * share
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
