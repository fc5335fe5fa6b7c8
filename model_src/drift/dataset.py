"""A data set's split: every CSV file of a folder, its columns in time order."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

from .columns import Cell, column, kind_of
from .profile import BaselineError, Profile, profile_of

TIME = "timestamp"
NOT_FEATURES = frozenset({TIME, "device_id", "reading_id"})


def read_rows(folder: Path) -> list[dict[str, str]]:
    """Return the rows of all ``*.csv`` files, sorted by the column ``timestamp`` where there is one.

    Raises
    ------
    BaselineError
        When there is none.
    """
    rows: list[dict[str, str]] = []
    for path in sorted(folder.rglob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows.extend(csv.DictReader(file))
    if not rows:
        raise BaselineError(f"the split must hold at least one row of a *.csv file, got none in {folder.name}")
    return sorted(rows, key=lambda row: _moment(row[TIME])) if all(row.get(TIME) for row in rows) else rows


def _moment(text: str) -> tuple[float, str]:
    """Return what sorts timestamps: numbers by their value, ISO 8601 by its text."""
    try:
        return float(text), ""
    except ValueError:
        return 0.0, text


def manifest_features(folder: Path | None) -> list[str] | None:
    """Return the features that the one ``*.json`` of a folder names, or nothing without a folder.

    Raises
    ------
    BaselineError
        When there is no manifest, or it names none.
    """
    if folder is None:
        return None
    try:
        (path,) = folder.glob("*.json")
        return [str(name) for name in json.loads(path.read_text(encoding="utf-8"))["features"]]
    except (KeyError, TypeError, ValueError) as error:
        raise BaselineError(f"{folder.name} must hold the manifest of a data set with its features") from error


def feature_names(rows: Sequence[dict[str, str]], chosen: Sequence[str] | None) -> list[str]:
    """Return the features, in the file's order unless they are named.

    Raises
    ------
    BaselineError
        When one that is named is no column.
    """
    names = [name for name in rows[0] if name not in NOT_FEATURES] if chosen is None else list(chosen)
    unknown = [name for name in names if name not in rows[0]]
    if unknown:
        raise BaselineError(f"features must be columns of the split, got {', '.join(unknown)}")
    return names


def profiles(
    rows: Sequence[dict[str, str]], names: Sequence[str], categories: frozenset[str] = frozenset()
) -> dict[str, Profile]:
    """Describe the named columns; ``categories`` names those whose numbers are codes.

    Raises
    ------
    BaselineError
        When a column holds no value.
    """
    made = {}
    for name in names:
        cells: list[Cell] = [row[name] for row in rows]
        kind = "category" if name in categories else kind_of(cells)
        try:
            made[name] = profile_of(column(cells, kind))
        except BaselineError as error:
            raise BaselineError(f"{name}: {error}") from error
    return made
