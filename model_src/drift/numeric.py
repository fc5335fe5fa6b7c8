"""Numbers: Kolmogorov-Smirnov, population stability index and Wasserstein distance against a baseline's sample."""

from __future__ import annotations

import numpy as np

from .distributions import Vector, contingency_p, wasserstein

EMPTY_SHARE = 1e-4
"""Stands for an empty bin in the population stability index, whose logarithm would be infinite."""
BINS = 10
ROWS_PER_BIN = 10
"""Effective rows that the test of the bins asks of each; below, Pearson's approximation is poor."""


def kolmogorov_smirnov(first: Vector, second: Vector) -> float:
    """Return the largest distance of the two distribution functions; both samples may hold ties."""
    first, second = np.sort(first), np.sort(second)
    points = np.concatenate([first, second])
    below = np.searchsorted(first, points, side="right") / len(first)
    above = np.searchsorted(second, points, side="right") / len(second)
    return float(np.max(np.abs(below - above)))


def population_stability(expected: Vector, actual: Vector) -> float:
    """Return the population stability index of two vectors of shares, bin by bin.

    ``sum((actual - expected) * ln(actual / expected))``; an empty bin counts as a share of 0.0001.
    """
    expected, actual = np.maximum(expected, EMPTY_SHARE), np.maximum(actual, EMPTY_SHARE)
    return float(np.sum((actual - expected) * np.log(actual / expected)))


def edges(sample: Vector, bins: int) -> Vector:
    """Return the inner edges of bins that hold equal shares of the sample; ties make fewer bins."""
    inner = np.quantile(sample, np.arange(1, bins) / bins, method="inverted_cdf")
    return np.asarray(np.unique(inner), dtype=np.float64)


def shares(values: Vector, inner: Vector) -> Vector:
    """Return the share of values in each bin; a value on an edge belongs to the bin below it."""
    counts = np.bincount(np.searchsorted(inner, values, side="left"), minlength=len(inner) + 1)
    return np.asarray(counts / len(values), dtype=np.float64)


def stability(sample: Vector, values: Vector) -> float:
    """Return the population stability index over the deciles of the baseline."""
    inner = edges(sample, BINS)
    return population_stability(shares(sample, inner), shares(values, inner))


def stability_p(sample: Vector, values: Vector, baseline_rows: float, rows: float) -> float:
    """Return the p-value of the bins' shares, by Pearson's chi-square on effective counts.

    The index itself has a heavy tail in small windows; the table of the same bins does not.
    """
    inner = edges(sample, max(2, min(BINS, int(rows // ROWS_PER_BIN))))
    table = np.array([shares(sample, inner) * baseline_rows, shares(values, inner) * rows])
    table = table[:, table.sum(axis=0) > 0]
    return contingency_p(table) if table.shape[1] > 1 else 1.0


def distance_in_deviations(sample: Vector, values: Vector, deviation: float) -> float:
    """Return the Wasserstein distance in standard deviations of the baseline (in its unit when that is 0)."""
    return wasserstein(sample, values) / (deviation if deviation > 0 else 1.0)
