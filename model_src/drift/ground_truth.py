"""Ground truth that arrives later: labels in SageMaker's layout, joined to captured answers by inference id."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .captures import Row
from .columns import number_of
from .profile import BaselineError

TRUE = frozenset({"true", "yes"})
FALSE = frozenset({"false", "no"})


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """A row whose truth is known: its answer and its label, both as numbers (false is 0, true is 1)."""

    row: Row
    answer: float
    label: float


def read_labels(folder: Path) -> dict[str, float]:
    """Return the label of each inference id.

    A line is ``{"groundTruthData": {"data": "1", "encoding": "CSV"}, "eventMetadata": {"eventId": "…"}}``. Its event id
    is the inference id of the request, with ``#<place>`` for a row of a request that held many. Of two labels of one
    id the one in the later file counts, since labels get corrected.

    Raises
    ------
    BaselineError
        When a line is no such record.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-merge.html
    """
    labels: dict[str, float] = {}
    for path in sorted(folder.rglob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip():
                key, label = _label(path, line)
                labels[key] = label
    return labels


def _label(path: Path, line: str) -> tuple[str, float]:
    try:
        record = json.loads(line)
        value = truth_of(record["groundTruthData"]["data"])
        if value is not None:
            return str(record["eventMetadata"]["eventId"]), value
    except (KeyError, TypeError, ValueError):
        pass
    raise BaselineError(f"{path.name} must hold ground truth records, got {line[:80]!r}")


def truth_of(cell: object) -> float | None:
    """Return an answer or a label as a number, or nothing when it is none."""
    if isinstance(cell, str) and cell.strip().lower() in TRUE | FALSE:
        return float(cell.strip().lower() in TRUE)
    return number_of(cell) if cell is None or isinstance(cell, str | bool | int | float) else None


def merge(rows: Sequence[Row], labels: Mapping[str, float]) -> list[Labelled]:
    """Join answers and labels; rows whose label has not arrived yet are left out, and counted by the caller."""
    found = []
    for row in rows:
        answer, label = truth_of(row.prediction), labels.get(row.key)
        if answer is not None and label is not None:
            found.append(Labelled(row=row, answer=answer, label=label))
    return found
