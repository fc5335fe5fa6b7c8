"""Categories: Jensen-Shannon distance and Pearson's chi-square, with rare categories pooled."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .distributions import Vector, contingency_p, jensen_shannon

LEAST_EXPECTED = 5.0
"""Effective rows expected of a category; those with fewer are pooled, since the approximation needs it."""


def aligned(baseline: Mapping[str, int], window: Mapping[str, int]) -> tuple[Vector, Vector]:
    """Return both shares over all categories that either side has."""
    names = sorted(set(baseline) | set(window))
    first = np.array([baseline.get(name, 0) for name in names], dtype=np.float64)
    second = np.array([window.get(name, 0) for name in names], dtype=np.float64)
    return first / first.sum(), second / second.sum()


def category_distance(baseline: Mapping[str, int], window: Mapping[str, int]) -> float:
    """Return the Jensen-Shannon distance of the categories, 0 to 1."""
    return jensen_shannon(*aligned(baseline, window))


def category_p(baseline: Mapping[str, int], window: Mapping[str, int], baseline_rows: float, rows: float) -> float:
    """Return Pearson's chi-square p-value on effective counts; 1 when pooling leaves one category."""
    first, second = aligned(baseline, window)
    table = np.array([first * baseline_rows, second * rows])
    expected = table.sum(axis=0) * rows / (baseline_rows + rows)
    rare = expected < LEAST_EXPECTED
    if rare.any():
        table = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])
    return contingency_p(table) if table.shape[1] > 1 else 1.0
