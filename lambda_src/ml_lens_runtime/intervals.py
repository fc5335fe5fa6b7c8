"""Intervals of one variant's proportion or mean that stay valid however often one looks; pure functions."""

from __future__ import annotations

import math
from collections.abc import Callable

from ml_lens_runtime.stats import Sample

_HALVINGS = 60  # of an interval inside [0, 1]: below the resolution of a float


def proportion_interval(successes: int, count: int, *, alpha: float) -> tuple[float, float]:
    """Return the always-valid interval of one proportion; exact, not asymptotic.

    With s successes of n and a uniform mixture over the true proportion, the ratio

        M(p) = Beta(1 + s, 1 + n - s) / (p^s * (1 - p)^(n - s))

    is a martingale with mean 1 if p is the truth, so P(M(p) >= 1/alpha at any n) <= alpha. The interval holds
    every p with M(p) < 1/alpha. It stays valid if outcomes decide who is assigned next, as a bandit does, because
    each variant's own sequence of outcomes stays a sequence of independent draws.

    Notes
    -----
    Sources: H. Robbins, Annals of Mathematical Statistics 41(5), 1970, pp. 1397-1409 (beta mixture of Bernoulli
    likelihoods); S. Howard, A. Ramdas, J. McAuliffe, J. Sekhon, "Time-uniform, nonparametric, nonasymptotic
    confidence sequences", Annals of Statistics 49(2), 2021, pp. 1055-1080 (mixture boundaries).
    """
    failures = count - successes
    bound = math.lgamma(1 + successes) + math.lgamma(1 + failures) - math.lgamma(2 + count) + math.log(alpha)

    def holds(p: float) -> bool:
        return (successes * math.log(p) if successes else 0.0) + (
            failures * math.log1p(-p) if failures else 0.0
        ) > bound

    seen = successes / count if count else 0.5
    low = 0.0 if successes == 0 else _edge(outside=0.0, inside=seen, holds=holds)
    high = 1.0 if failures == 0 else _edge(outside=1.0, inside=seen, holds=holds)
    return low, high


def mean_interval(sample: Sample, *, alpha: float, sharpest_at: int) -> tuple[float, float]:
    """Return the always-valid interval of one mean; asymptotic.

        mean +- s * sqrt(2 * (n*r + 1) / (n^2 * r) * log(sqrt(n*r + 1) / alpha)),
        r = (-2*log(alpha) + log(-2*log(alpha) + 1)) / sharpest_at.

    Parameters
    ----------
    sample : Sample
        Values of one variant.
    alpha : float
        Error rate.
    sharpest_at : int
        Number of values at which the interval is to be narrowest; fixed before the test.

    Notes
    -----
    Source: I. Waudby-Smith, D. Arbour, R. Sinha, E. Kennedy, A. Ramdas, "Time-uniform central limit theory and
    asymptotic confidence sequences", Annals of Statistics 52(6), 2024, pp. 2613-2640 (arXiv:2103.06476), theorem 2.2
    and the choice of rho in its appendix.
    """
    if sample.count < 2:
        return -math.inf, math.inf
    rho = (-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)) / sharpest_at
    grown = sample.count * rho + 1
    margin = math.sqrt(2 * sample.variance * grown / (sample.count**2 * rho) * math.log(math.sqrt(grown) / alpha))
    return sample.mean - margin, sample.mean + margin


def _edge(*, outside: float, inside: float, holds: Callable[[float], bool]) -> float:
    """Return where `holds` ends between a point outside and the estimate, by bisection; on the outer side."""
    for _ in range(_HALVINGS):
        middle = (outside + inside) / 2
        outside, inside = (outside, middle) if holds(middle) else (middle, inside)
    return outside
