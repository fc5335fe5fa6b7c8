"""Read a split of the data: every CSV file with a header, checked so that no broken number is learnt or judged."""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

NOT_FEATURES = frozenset({"timestamp", "device_id", "reading_id"})
"""Columns that name a row. They are no features, even when they hold numbers."""


class TrainingDataError(ValueError):
    """The split holds nothing that a model could learn from or be judged by."""


@dataclass(frozen=True, kw_only=True)
class TrainingData:
    """Rows of a split, ready to learn from.

    Parameters
    ----------
    features
        Names of the columns of ``values``, in order.
    values
        One row per reading, all finite.
    digest
        SHA-256 (hex) over the bytes of the files, in the order of their names.
    """

    features: tuple[str, ...]
    values: npt.NDArray[np.float64]
    digest: str


def load(channel: Path, features: Sequence[str] | None = None) -> TrainingData:
    """Read what a model learns from: all ``*.csv`` files of a folder, without a column that never changes.

    Parameters
    ----------
    channel
        Folder of the files (``SM_CHANNEL_TRAIN``). They are read in the order of their names.
    features
        Columns to learn from, default every numeric column except `NOT_FEATURES`.

    Raises
    ------
    TrainingDataError
        What `read` refuses, and a column that never changes.
    """
    data = read(channel, features)
    _refuse_constants(data.features, data.values)
    return data


def read(channel: Path, features: Sequence[str] | None = None, *, split: str = "training") -> TrainingData:
    """Read all ``*.csv`` files of a folder.

    Parameters
    ----------
    channel
        Folder of the files. They are read in the order of their names.
    features
        Columns to read, default every numeric column except `NOT_FEATURES`.
    split
        Name of the split in the reasons of a refusal.

    Raises
    ------
    TrainingDataError
        No file, no row, a missing column, or a cell that is not a finite number.
    """
    paths = sorted(channel.glob("*.csv"))
    if not paths:
        raise TrainingDataError(f"the {split} channel must hold at least one *.csv file, got none in {channel}")
    rows = [row for path in paths for row in _rows(path)]
    if not rows:
        raise TrainingDataError(f"the {split} files must hold at least one row, got only headers in {channel}")
    names = tuple(features) if features is not None else _numeric_columns(rows)
    values = np.array([[_number(row, name) for name in names] for row in rows], dtype=np.float64)
    digest = hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in paths))
    return TrainingData(features=names, values=values, digest=digest.hexdigest())


@dataclass(frozen=True, kw_only=True)
class _Row:
    place: str
    cells: dict[str, str | None]


def _rows(path: Path) -> list[_Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        return [_Row(place=f"{path.name} line {reader.line_num}", cells=cells) for cells in reader]


def _is_number(text: str | None) -> bool:
    try:
        float("" if text is None else text)
    except ValueError:
        return False
    return True


def _numeric_columns(rows: Sequence[_Row]) -> tuple[str, ...]:
    columns = [name for name in rows[0].cells if name is not None and name not in NOT_FEATURES]
    names = tuple(name for name in columns if any(_is_number(row.cells.get(name)) for row in rows))
    if not names:
        raise TrainingDataError(f"the training files must have a numeric column, got {sorted(columns)}")
    return names


def _number(row: _Row, name: str) -> float:
    if name not in row.cells:
        known = ", ".join(str(column) for column in row.cells)
        raise TrainingDataError(f"{row.place}: column '{name}' is missing; the columns are {known}")
    text = row.cells[name]
    if text is None or not _is_number(text) or not math.isfinite(float(text)):
        raise TrainingDataError(
            f"{row.place}: '{name}' must be a finite number, got {text!r}; remove the row or repair it"
        )
    return float(text)


def _refuse_constants(names: Sequence[str], values: npt.NDArray[np.float64]) -> None:
    constant = [name for name, column in zip(names, values.T, strict=True) if np.ptp(column) == 0]
    if constant:
        raise TrainingDataError(
            f"a feature must change within the training data, got the same value in every one of {len(values)} rows"
            f" for {', '.join(constant)}; leave it out with --features"
        )
