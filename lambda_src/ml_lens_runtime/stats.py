"""Statistics of an A/B test that stay valid however often one looks; standard library only, all functions pure."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

_HALVINGS = 60  # of an interval inside [0, 1]: below the resolution of a float


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """Count, mean and sum of squared deviations of the values of one variant.

    Notes
    -----
    Merging two parts: Chan, Golub, LeVeque, "Algorithms for computing the sample variance", The American
    Statistician 37(3), 1983, pp. 242-247, eq. 1.5.
    """

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def merge(self, other: Sample) -> Sample:
        """Return the sample of both parts together."""
        count = self.count + other.count
        if count == 0:
            return self
        apart = other.mean - self.mean
        return Sample(
            count=count,
            mean=self.mean + apart * other.count / count,
            squares=self.squares + other.squares + apart * apart * self.count * other.count / count,
        )

    def add(self, value: float) -> Sample:
        """Return the sample with one more value."""
        return self.merge(Sample(count=1, mean=value))

    @property
    def variance(self) -> float:
        """Unbiased variance; 0 below two values."""
        return self.squares / (self.count - 1) if self.count > 1 else 0.0

    @property
    def successes(self) -> int:
        """Number of ones among zeros and ones."""
        return round(self.mean * self.count)


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Treatment minus control: estimate, always-valid interval and p-value of this look."""

    difference: float
    low: float
    high: float
    p_value: float


def compare(control: Sample, treatment: Sample, *, effect: float, alpha: float, binary: bool) -> Comparison:
    """Compare two means by the mixture sequential probability ratio test (mSPRT) with a normal mixture.

    With the difference D, its variance V and the mixture N(0, effect^2) over true differences, the mixture likelihood
    ratio against "no difference" is

        L = sqrt(V / (V + effect^2)) * exp(effect^2 * D^2 / (2 * V * (V + effect^2))).

    L is a martingale with mean 1 if there is no difference, so by Ville's inequality P(L >= 1/alpha at any look) <=
    alpha: stopping at the first such look errs with probability at most alpha, whatever the number of looks. 1/L is
    the p-value of the look; the interval holds all differences that the same test does not reject.

    Parameters
    ----------
    control, treatment : Sample
        What was seen so far.
    effect : float
        Standard deviation of the mixture, in the metric's unit; the test is quickest near this difference.
    alpha : float
        Error rate.
    binary : bool
        Zeros and ones: the larger one of the pooled and the unpooled variance is used.

    Notes
    -----
    Sources: R. Johari, P. Koomen, L. Pekelis, D. Walsh, "Always Valid Inference: Continuous Monitoring of A/B Tests",
    Operations Research 70(3), 2022, pp. 1806-1821 (arXiv:1512.04922), the sections on the mSPRT with a normal mixture
    and on two streams with Bernoulli data; H. Robbins, "Statistical methods related to the law of the iterated
    logarithm", Annals of Mathematical Statistics 41(5), 1970, pp. 1397-1409. That D of growing samples behaves like
    a Brownian motion with information 1/V for any split that does not depend on outcomes: C. Jennison, B. Turnbull,
    "Group Sequential Methods", 2000, section 3.1. V is estimated, so the error rate is asymptotic: hence the least
    number of users per variant before the first look.
    """
    difference = treatment.mean - control.mean
    spread = _variance_of_difference(control, treatment, binary=binary)
    if spread <= 0:  # fewer than two values, or no variation at all: nothing can be said
        return Comparison(difference=difference, low=-math.inf, high=math.inf, p_value=1.0)
    both = spread + effect * effect
    evidence = 0.5 * math.log(spread / both) + (effect * difference) ** 2 / (2 * spread * both)
    margin = mixture_margin(spread, effect=effect, alpha=alpha)
    return Comparison(
        difference=difference,
        low=difference - margin,
        high=difference + margin,
        p_value=math.exp(-max(0.0, evidence)),
    )


def mixture_margin(variance: float, *, effect: float, alpha: float) -> float:
    """Return the half width of the mSPRT's interval: `compare`'s L >= 1/alpha, solved for the difference."""
    both = variance + effect * effect
    return math.sqrt(2 * variance * both / (effect * effect) * math.log(math.sqrt(both / variance) / alpha))


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


def _variance_of_difference(control: Sample, treatment: Sample, *, binary: bool) -> float:
    """Return the variance of the difference of means; see `compare`."""
    if min(control.count, treatment.count) < 2:
        return 0.0
    apart = control.variance / control.count + treatment.variance / treatment.count
    if not binary:
        return apart
    share = (control.successes + treatment.successes) / (control.count + treatment.count)
    return max(apart, share * (1 - share) * (1 / control.count + 1 / treatment.count))


def _edge(*, outside: float, inside: float, holds: Callable[[float], bool]) -> float:
    """Return where `holds` ends between a point outside and the estimate, by bisection; on the outer side."""
    for _ in range(_HALVINGS):
        middle = (outside + inside) / 2
        outside, inside = (outside, middle) if holds(middle) else (middle, inside)
    return outside
