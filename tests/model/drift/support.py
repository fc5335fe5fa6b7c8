"""Seeded series for the drift tests: independent, autocorrelated, and with a daily cycle."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter  # type: ignore[import-untyped]

from model_src.drift.columns import Column
from model_src.drift.distributions import Vector
from model_src.drift.profile import Baseline, profile_of

DAY = 288
"""Readings of a day, one in five minutes."""


def autocorrelated(rng: np.random.Generator, rows: int, memory: float) -> Vector:
    """Return a first-order autoregressive series of unit variance; ``memory`` is its lag-one correlation."""
    noise = rng.normal(size=rows + 500) * np.sqrt(1 - memory**2)
    return np.asarray(lfilter([1], [1, -memory], noise)[500:], dtype=np.float64)


def daily(rng: np.random.Generator, rows: int, start: int = 0) -> Vector:
    """Return an autocorrelated series around a cycle of one day."""
    cycle = 1.5 * np.sin(2 * np.pi * (np.arange(rows) + start) / DAY)
    return np.asarray(autocorrelated(rng, rows, 0.5) + cycle, dtype=np.float64)


def numbers(values: Vector) -> Column:
    """Return a column without faults."""
    return Column(kind="number", rows=len(values), missing=0, bad=0, values=values)


def baseline_of(series: dict[str, Vector]) -> Baseline:
    """Return the baseline of the named series."""
    features = {name: profile_of(numbers(values)) for name, values in series.items()}
    return Baseline(version="1", made_from="1", features=features)
