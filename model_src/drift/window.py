"""A window of captured rows as columns that fit a baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .captures import Row
from .columns import Cell, Column, column
from .judge import PREDICTION
from .profile import Baseline

MALFORMED = "row of another width"
"""Cell of every feature of a row that has more or fewer cells than the model has inputs: of no type."""


def columns_of(rows: Sequence[Row], baseline: Baseline) -> dict[str, Column]:
    """Return one column per feature of the baseline, and ``prediction`` when answers were captured."""
    names = list(baseline.features)
    named = [cells_of(row, names) for row in rows]
    made = {name: column([cells[name] for cells in named], profile.kind) for name, profile in baseline.features.items()}
    answers = [row.prediction for row in rows]
    if baseline.prediction is not None and any(answer is not None for answer in answers):
        made[PREDICTION] = column(answers, baseline.prediction.kind)
    return made


def cells_of(row: Row, names: Sequence[str]) -> Mapping[str, Cell]:
    """Return the cells of a row by feature."""
    if isinstance(row.cells, Mapping):
        return {name: row.cells.get(name) for name in names}
    if len(row.cells) != len(names):
        return dict.fromkeys(names, MALFORMED)
    return dict(zip(names, row.cells, strict=True))
