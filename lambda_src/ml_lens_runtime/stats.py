"""Statistics of an A/B test that stay valid however often one looks; standard library only, all functions pure."""

from __future__ import annotations

import math
from dataclasses import dataclass


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
class Strata:
    """Sums over strata for `compare_strata`: of the weights, and of the weighted differences."""

    weight: float = 0.0
    score: float = 0.0

    def add(self, control: Sample, treatment: Sample) -> Strata:
        """Return the sums with one more stratum; one that has only one side says nothing."""
        if min(control.count, treatment.count) == 0:
            return self
        weight = control.count * treatment.count / (control.count + treatment.count)
        return Strata(weight=self.weight + weight, score=self.score + weight * (treatment.mean - control.mean))


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
    spread = _variance_of_difference(control, treatment, binary=binary)
    return _mixture_test(treatment.mean - control.mean, spread, effect=effect, alpha=alpha)


def compare_strata(strata: Strata, control: Sample, treatment: Sample, *, effect: float, alpha: float) -> Comparison:
    """Compare two proportions by the mSPRT within strata; valid if earlier outcomes decide who is assigned next.

    As `compare`, with D = sum(w * d) / sum(w) and V = p * (1 - p) / sum(w), where d is a stratum's difference of
    proportions, w = n_c * n_t / (n_c + n_t) its weight, and p the proportion of all users. In a stratum whose split
    was fixed before its outcomes were known, w * d has mean 0 if there is no difference, whatever came before: the
    sum is a martingale, which the plain difference of means is not once outcomes move the shares. Strata also keep a
    drift of the proportion over time from posing as a difference (Simpson's paradox).

    Parameters
    ----------
    strata : Strata
        The sums, one stratum per cohort.
    control, treatment : Sample
        All users, for p.
    effect, alpha : float
        As for `compare`.

    Notes
    -----
    Sources: W. Cochran, "Some methods for strengthening the common chi-squared tests", Biometrics 10(4), 1954,
    pp. 417-451 (weights); N. Mantel, W. Haenszel, Journal of the National Cancer Institute 22(4), 1959, pp. 719-748
    (sum(w * d) is their observed minus expected). The mixture as in `compare`.
    """
    if strata.weight <= 0:
        return _mixture_test(0.0, 0.0, effect=effect, alpha=alpha)
    share = control.merge(treatment).mean
    variance = share * (1 - share) / strata.weight
    return _mixture_test(strata.score / strata.weight, variance, effect=effect, alpha=alpha)


def _mixture_test(difference: float, spread: float, *, effect: float, alpha: float) -> Comparison:
    """Return the mSPRT's answer to a difference of a variance; see `compare`."""
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


def _variance_of_difference(control: Sample, treatment: Sample, *, binary: bool) -> float:
    """Return the variance of the difference of means; see `compare`."""
    if min(control.count, treatment.count) < 2:
        return 0.0
    apart = control.variance / control.count + treatment.variance / treatment.count
    if not binary:
        return apart
    share = (control.successes + treatment.successes) / (control.count + treatment.count)
    return max(apart, share * (1 - share) * (1 / control.count + 1 / treatment.count))
