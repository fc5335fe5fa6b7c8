"""Model quality: metrics with exact or bootstrapped intervals, and bounds that are broken beyond chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .distributions import Vector, beta_interval
from .ground_truth import Labelled

Direction = Literal["at_least", "at_most"]
RESAMPLES = 1000


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A metric with its interval; ``rows`` are those that it is a share or a mean of."""

    metric: str
    value: float
    low: float
    high: float
    rows: int


@dataclass(frozen=True, kw_only=True)
class Bound:
    """What a metric must keep to."""

    metric: str
    bound: float
    direction: Direction

    def broken_by(self, measured: Measured) -> bool:
        """Tell whether the whole interval lies on the wrong side: not one unlucky sample."""
        return measured.high < self.bound if self.direction == "at_least" else measured.low > self.bound


def is_binary(pairs: Sequence[Labelled]) -> bool:
    """Tell whether all answers and labels are 0 or 1."""
    return {pair.answer for pair in pairs} | {pair.label for pair in pairs} <= {0.0, 1.0}


def measure_quality(pairs: Sequence[Labelled], *, confidence: float) -> list[Measured]:
    """Return the metrics that the labels allow: of yes and no, or of numbers.

    Parameters
    ----------
    pairs
        Answers with their labels.
    confidence
        Of each interval, between 0 and 1.
    """
    if not pairs:
        return []
    answers = np.array([pair.answer for pair in pairs], dtype=np.float64)
    labels = np.array([pair.label for pair in pairs], dtype=np.float64)
    if is_binary(pairs):
        return _classification(answers == 1, labels == 1, confidence)
    return _regression(answers, labels, confidence)


def _classification(
    answers: np.typing.NDArray[np.bool_], labels: np.typing.NDArray[np.bool_], confidence: float
) -> list[Measured]:
    """Return shares with Clopper and Pearson's exact intervals; a share of no rows is left out."""
    shares = {
        "accuracy": (answers == labels, np.ones_like(labels)),
        "precision": (labels, answers),
        "recall": (answers, labels),
        "false_positive_rate": (answers, ~labels),
        "positive_rate": (answers, np.ones_like(labels)),
    }
    found = []
    for metric, (hits, among) in shares.items():
        rows, successes = int(among.sum()), int((hits & among).sum())
        if rows:
            low, high = beta_interval(successes, rows, confidence)
            found.append(Measured(metric=metric, value=successes / rows, low=low, high=high, rows=rows))
    return found


def _regression(answers: Vector, labels: Vector, confidence: float) -> list[Measured]:
    """Return errors with bootstrapped intervals, of a fixed seed: the same window gives the same report."""
    errors = answers - labels
    metrics: dict[str, Callable[[Vector], Vector]] = {
        "mae": lambda sample: np.abs(sample).mean(axis=-1),
        "rmse": lambda sample: np.sqrt((sample**2).mean(axis=-1)),
        "mean_error": lambda sample: sample.mean(axis=-1),
    }
    places = np.random.default_rng(0).integers(len(errors), size=(RESAMPLES, len(errors)))
    tails = ((1 - confidence) / 2, (1 + confidence) / 2)
    found = []
    for metric, of in metrics.items():
        low, high = np.quantile(of(errors[places]), tails)
        value = float(of(errors))
        found.append(Measured(metric=metric, value=value, low=float(low), high=float(high), rows=len(errors)))
    return found


def broken(measured: Sequence[Measured], bounds: Sequence[Bound]) -> list[tuple[Bound, Measured]]:
    """Return the bounds that are broken, with what broke them; a metric without rows breaks none."""
    by_name = {one.metric: one for one in measured}
    known = [(bound, by_name[bound.metric]) for bound in bounds if bound.metric in by_name]
    return [(bound, found) for bound, found in known if bound.broken_by(found)]
