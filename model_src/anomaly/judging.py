"""Metrics of an anomaly model without labels: how often it alerts, and what it finds of what was injected."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from model_src.anomaly.artifact import Artifact

Matrix = npt.NDArray[np.float64]

PASSES = 3
"""Timed passes over the rows; the median counts."""

VALIDATION_DEVIATIONS = 3.0
"""Size of the faults injected into the validation split, in standard deviations of their column."""


class UnchangingError(ValueError):
    """There is no column in which a fault could be injected."""


@dataclass(frozen=True, kw_only=True)
class Injection:
    """Rows of which each has one reading moved by some standard deviations.

    Parameters
    ----------
    values
        The rows, columns as in the test split.
    features
        Names of the columns that were moved somewhere.
    """

    values: Matrix
    features: tuple[str, ...]


def inject(values: Matrix, names: Sequence[str], shared: Sequence[str], *, deviations: float, seed: int) -> Injection:
    """Move one reading of each row up or down, the same one for every model that is judged.

    Parameters
    ----------
    values
        Rows of the test split, one column per name.
    names
        Columns of ``values``.
    shared
        Columns that every judged model sees; only these are moved.
    deviations
        Size of the move, in standard deviations of the column over ``values``.
    seed
        Seed of the choice of column and direction.

    Raises
    ------
    UnchangingError
        No shared column changes over the rows.
    """
    spread = values.std(axis=0)
    columns = [index for index, name in enumerate(names) if name in shared and spread[index] > 0]
    if not columns:
        raise UnchangingError(f"a column that all models share must change over the rows, got {', '.join(shared)}")
    rng = np.random.default_rng(seed)
    chosen = rng.choice(columns, size=len(values))
    signs = rng.choice([-1.0, 1.0], size=len(values))
    moved = values.copy()
    moved[np.arange(len(values)), chosen] += signs * deviations * spread[chosen]
    return Injection(values=moved, features=tuple(names[index] for index in columns))


def metrics_of(model: Artifact, values: Matrix, injected: Matrix) -> dict[str, float]:
    """Return the metrics of one model; columns of both tables in the order of ``model.features``."""
    seconds, clean = _timed(model, values)
    found = model.score(injected)
    return {
        "alert_rate": _share_above(clean, model.threshold),
        "recall_injected": _share_above(found, model.threshold),
        "auc_injected": auc(clean, found),
        "score_seconds_per_1000": seconds / len(values) * 1000,
    }


def validation_metrics(
    score: Callable[[Matrix], Matrix], threshold: float, values: Matrix, names: Sequence[str]
) -> dict[str, float]:
    """Return what a training says about its validation split: a metric that tuning can be told to maximise.

    Parameters
    ----------
    score
        Of the fitted model.
    threshold
        Score above which a row is an anomaly.
    values
        Rows of the validation split.
    names
        Columns of ``values``, in the order of the model.

    Raises
    ------
    UnchangingError
        No column changes over the rows.
    """
    moved = inject(values, names, names, deviations=VALIDATION_DEVIATIONS, seed=0)
    clean, found = score(values), score(moved.values)
    return {"validation_alert_rate": _share_above(clean, threshold), "validation_auc_injected": auc(clean, found)}


def auc(clean: npt.NDArray[np.float64], injected: npt.NDArray[np.float64]) -> float:
    """Return the chance that an injected row scores higher than a clean one; ties count half, NaN gives NaN."""
    if not (np.isfinite(clean).all() and np.isfinite(injected).all()):
        return float("nan")
    ordered = np.sort(clean)
    below = np.searchsorted(ordered, injected, side="left")
    not_above = np.searchsorted(ordered, injected, side="right")
    return float((below + not_above).mean() / 2 / len(clean))


def _share_above(scores: npt.NDArray[np.float64], threshold: float) -> float:
    if not np.isfinite(scores).all():
        return float("nan")
    return float(np.mean(scores > threshold))


def _timed(model: Artifact, values: Matrix) -> tuple[float, npt.NDArray[np.float64]]:
    taken = []
    for _ in range(PASSES):
        start = time.perf_counter()
        scores = model.score(values)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken), scores
