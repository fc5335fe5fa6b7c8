"""How much less a window of sensor readings says than as many independent values: measured, not assumed."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np

from .distributions import Vector, chi_square_quantile, ranks

BATCHES = 10
"""Least number of blocks that a factor is taken from; fewer say too little about its own error."""
GROWTH = 1.25


@dataclass(frozen=True, kw_only=True)
class Dependence:
    """By what factor the variance of a mean over consecutive rows exceeds that of independent rows.

    Parameters
    ----------
    rows
        Block lengths, increasing.
    factors
        The factor for each length, at least 1.

    Notes
    -----
    Method: non-overlapping batch means (Law and Kelton, Simulation Modeling and Analysis, chapter 9) of the ranks and
    of their distance from the middle, so that place and spread are both covered and no outlier decides. The factor
    depends on the length: readings with a daily cycle are strongly dependent within an hour and not over whole days.
    """

    rows: tuple[int, ...] = (1,)
    factors: tuple[float, ...] = (1.0,)

    def effective(self, rows: int) -> float:
        """Return how many independent rows a window of ``rows`` consecutive rows is worth."""
        place = bisect_left(self.rows, rows)
        near = self.factors[max(0, place - 1) : place + 1]
        return rows / max(near) if near else float(rows)


def measure(values: Vector) -> Dependence:
    """Measure a series in time order; it takes ten times as many rows as the longest window is to have."""
    lengths = _lengths(len(values) // BATCHES)
    if not lengths or np.ptp(values) == 0:
        return Dependence()
    place = ranks(values)
    signals = (place, np.abs(place - 0.5))
    factors = [max(1.0, *(_factor(signal, length) for signal in signals)) for length in lengths]
    return Dependence(rows=tuple(lengths), factors=tuple(factors))


def _lengths(longest: int) -> list[int]:
    lengths: list[int] = []
    length = 1.0
    while length < longest:
        lengths.append(int(length))
        length = max(length + 1, length * GROWTH)
    return [*lengths, longest] if longest >= 1 else []


def _factor(signal: Vector, length: int) -> float:
    """Return the variance factor of means over ``length`` rows, at most ``length``.

    The estimate from few blocks is skewed to the low side, so it is divided by the median of its distribution.
    """
    spread = float(np.var(signal))
    if spread == 0 or length == 1:
        return 1.0
    count = len(signal) // length
    means = signal[: count * length].reshape(count, length).mean(axis=1)
    unskewed = (count - 1) / chi_square_quantile(0.5, count - 1)
    return min(float(length), length * float(np.var(means, ddof=1)) / spread * unskewed)
