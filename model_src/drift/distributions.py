"""What is taken from SciPy: tail probabilities and distances, typed once."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats  # type: ignore[import-untyped]
from scipy.spatial import distance  # type: ignore[import-untyped]

Vector = npt.NDArray[np.float64]


def kolmogorov_smirnov_p(statistic: float, first: float, second: float) -> float:
    """Return the probability of a two-sample distance at least as large, for samples that may be fractional.

    Equal to ``scipy.stats.ks_2samp(..., method="asymp")`` when the sizes are whole.
    """
    size = first * second / (first + second)
    return float(stats.kstwo.sf(statistic, max(1.0, float(np.round(size)))))


def contingency_p(table: Vector) -> float:
    """Return Pearson's chi-square p-value of a table of two rows, without a continuity correction."""
    return float(stats.chi2_contingency(table, correction=False).pvalue)


def hypergeometric_tail(found: int, total: int, marked: int, drawn: int) -> float:
    """Return the probability of at least ``found`` marked items among ``drawn`` of ``total``."""
    return float(stats.hypergeom.sf(found - 1, total, marked, drawn))


@lru_cache(maxsize=4096)
def chi_square_quantile(share: float, degrees: int) -> float:
    """Return the value below which a chi-square variable lies with probability ``share``."""
    return float(stats.chi2.ppf(share, degrees))


def fisher_p(first: int, first_rows: int, second: int, second_rows: int) -> float:
    """Return the two-sided p-value of Fisher's exact test that two shares are the same."""
    table = [[first, first_rows - first], [second, second_rows - second]]
    return float(stats.fisher_exact(table).pvalue)


def beta_interval(successes: float, trials: float, confidence: float) -> tuple[float, float]:
    """Return Clopper and Pearson's exact interval of a share; fractional counts are allowed."""
    tail = (1 - confidence) / 2
    low = 0.0 if successes <= 0 else float(stats.beta.ppf(tail, successes, trials - successes + 1))
    high = 1.0 if successes >= trials else float(stats.beta.ppf(1 - tail, successes + 1, trials - successes))
    return low, high


def wasserstein(first: Vector, second: Vector) -> float:
    """Return the earth mover's distance of two samples, in the unit of the values."""
    return float(stats.wasserstein_distance(first, second))


def jensen_shannon(first: Vector, second: Vector) -> float:
    """Return the Jensen-Shannon distance of two shares: 0 for equal, 1 for disjoint (base 2)."""
    return float(np.nan_to_num(distance.jensenshannon(first, second, base=2)))


def ranks(values: Vector) -> Vector:
    """Return the ranks of values, ties averaged, as shares of 1."""
    ordered: Any = stats.rankdata(values)
    return np.asarray(ordered / len(values), dtype=np.float64)
