"""A column of cells: which are missing, which are not of the type, and the values that remain, in time order."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .distributions import Vector

Cell = float | str | bool | None
Kind = Literal["number", "category"]
MISSING_TEXT = frozenset({"", "nan", "null", "none", "na"})
NUMBER_SHARE = 0.99
"""A column of a data set is one of numbers when at least this share of its filled cells can be read as finite ones."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One feature, or the predictions, of a window or a data set.

    Parameters
    ----------
    kind
        What its values are.
    rows
        Cells, missing and bad ones included.
    missing, bad
        Cells that are empty, and cells that are not of the kind.
    values
        Numbers in time order; empty for categories.
    categories
        Categories in time order; empty for numbers.
    """

    kind: Kind
    rows: int
    missing: int
    bad: int
    values: Vector
    categories: tuple[str, ...] = ()

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each category occurs."""
        return Counter(self.categories)


def is_missing(cell: Cell) -> bool:
    """Tell whether a cell is empty: nothing, not-a-number, or a word for it."""
    if isinstance(cell, str):
        return cell.strip().lower() in MISSING_TEXT
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def number_of(cell: Cell) -> float | None:
    """Return the finite number of a cell, or nothing."""
    try:
        value = float("" if cell is None else cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def column(cells: Sequence[Cell], kind: Kind) -> Column:
    """Sort the cells of a column of a known kind."""
    filled = [cell for cell in cells if not is_missing(cell)]
    missing = len(cells) - len(filled)
    if kind == "category":
        words = tuple(str(cell).strip() for cell in filled)
        return Column(kind=kind, rows=len(cells), missing=missing, bad=0, values=np.empty(0), categories=words)
    numbers = [number for number in map(number_of, filled) if number is not None]
    values = np.array(numbers, dtype=np.float64)
    return Column(kind=kind, rows=len(cells), missing=missing, bad=len(filled) - len(numbers), values=values)


def kind_of(cells: Sequence[Cell]) -> Kind:
    """Return the kind that the cells of a data set's column look like."""
    filled = [cell for cell in cells if not is_missing(cell)]
    numbers = sum(number_of(cell) is not None for cell in filled)
    return "number" if numbers >= NUMBER_SHARE * len(filled) else "category"
