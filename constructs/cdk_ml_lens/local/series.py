"""A real series (timestamp,value): features as an edge device computes them, labelled windows."""

from __future__ import annotations

import csv
import json
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cdk_ml_lens.local.readings import Reading

FEATURES: Final = ("value", "change_1h", "from_mean_24h", "spread_24h")
"""Value, change since an hour ago, distance from the mean of the last 24 hours, their standard deviation."""

TRAINING_SHARE: Final = 0.15
"""Part of the rows, from the first, that the model learns from. The other rows are streamed."""

ROWS_ABOVE_THRESHOLD: Final = 5
"""Training rows that should score above the threshold; with fewer, one odd row decides where it lies."""

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(hours=24)


class SeriesError(ValueError):
    """The file is no series of ``timestamp,value`` rows."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One row of the file: its text, and the instant and value when they can be read."""

    timestamp: str
    text: str | None
    moment: datetime | None
    value: float | None


@dataclass(frozen=True, kw_only=True)
class LabelledWindow:
    """A span of time, both ends included, labelled as anomalous."""

    start: datetime
    end: datetime

    def covers(self, moment: datetime) -> bool:
        """Tell whether the instant lies inside."""
        return self.start <= moment <= self.end


def load_series(path: Path) -> list[Sample]:
    """Read every row of a CSV file with the columns ``timestamp`` and ``value``, unreadable cells or not.

    Raises
    ------
    SeriesError
        When a column is missing or there is no row.
    """
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.DictReader(file)
        missing = {"timestamp", "value"} - set(reader.fieldnames if reader.fieldnames is not None else ())
        if missing:
            raise SeriesError(f"{path.name} must have the columns timestamp,value, got {reader.fieldnames}")
        samples = [_sample(row["timestamp"], row["value"]) for row in reader]
    if not samples:
        raise SeriesError(f"{path.name} must have at least one row, got only a header")
    return samples


def featurise(samples: Sequence[Sample], *, device_id: str) -> list[Reading]:
    """Compute the features of each row from this row and earlier ones only.

    The first rows, and rows after a gap, use what the last 24 hours hold: at least the row itself, so its
    change, distance and spread are 0. A row without a readable value keeps what the file has in it and gets
    no other feature: the scorer quarantines it.
    """
    past: deque[tuple[datetime, float]] = deque()
    return [
        Reading(device_id=device_id, index=index, timestamp=_iso(sample), features=_features(sample, past))
        for index, sample in enumerate(samples)
    ]


def split(readings: Sequence[Reading], *, share: float = TRAINING_SHARE) -> tuple[list[Reading], list[Reading]]:
    """Return the rows to learn from (those with complete features) and the rows to stream (all others)."""
    border = int(len(readings) * share)
    usable = [reading for reading in readings[:border] if all(_finite(value) for value in reading.features.values())]
    return usable, list(readings[border:])


def quantile_for(rows: int) -> float:
    """Return the quantile that leaves `ROWS_ABOVE_THRESHOLD` of so many rows above it, at most 0.999."""
    return min(0.999, 1 - ROWS_ABOVE_THRESHOLD / max(rows, 2 * ROWS_ABOVE_THRESHOLD))


def load_windows(path: Path) -> list[LabelledWindow]:
    """Read ``[[start, end], ...]`` from a JSON file.

    Raises
    ------
    SeriesError
        When the file holds anything else.
    """
    try:
        pairs = json.loads(path.read_text(encoding="utf-8"))
        return [LabelledWindow(start=_utc(start), end=_utc(end)) for start, end in pairs]
    except (ValueError, TypeError) as error:
        raise SeriesError(f"{path.name} must be a JSON list of [start, end] pairs: {error}") from error


def find_windows(data: Path) -> Path | None:
    """Return the ``*_windows.json`` beside a series whose name starts the series' own; the longest wins."""
    candidates = sorted(data.parent.glob("*_windows.json"))
    ranked = [(path, path.name.removesuffix("_windows.json")) for path in candidates]
    fitting = [(len(stem), path) for path, stem in ranked if data.stem.startswith(stem)]
    return max(fitting)[1] if fitting else None


def _sample(timestamp: str | None, text: str | None) -> Sample:
    try:
        value = float("" if text is None else text)
    except ValueError:
        value = math.nan
    try:
        moment = _utc("" if timestamp is None else timestamp)
    except ValueError:
        moment = None
    return Sample(
        timestamp="" if timestamp is None else timestamp,
        text=text,
        moment=moment,
        value=value if math.isfinite(value) else None,
    )


def _utc(text: str) -> datetime:
    moment = datetime.fromisoformat(text.strip())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _iso(sample: Sample) -> str:
    return sample.timestamp if sample.moment is None else sample.moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _features(sample: Sample, past: deque[tuple[datetime, float]]) -> dict[str, float | str | None]:
    moment, value = sample.moment, sample.value
    if moment is None or value is None:
        return {FEATURES[0]: sample.text, **dict.fromkeys(FEATURES[1:])}
    past.append((moment, value))
    while past[0][0] <= moment - _DAY:
        past.popleft()
    values = [seen for _, seen in past]
    mean = math.fsum(values) / len(values)
    spread = math.sqrt(math.fsum((seen - mean) ** 2 for seen in values) / len(values))
    numbers = (value, value - _an_hour_ago(moment, value, past), value - mean, spread)
    return {name: round(number, 6) for name, number in zip(FEATURES, numbers, strict=True)}


def _an_hour_ago(moment: datetime, value: float, past: deque[tuple[datetime, float]]) -> float:
    """Return the newest value that is between one and two hours old, else the present value."""
    recent = (seen for when, seen in reversed(past) if moment - 2 * _HOUR < when <= moment - _HOUR)
    return next(recent, value)


def _finite(value: float | str | None) -> bool:
    return isinstance(value, float) and math.isfinite(value)
