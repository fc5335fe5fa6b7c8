"""The A/B test's statistics against SciPy and statsmodels, and by definition where neither has the formula."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from scipy import integrate
from scipy import stats as reference
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.proportion import proportion_confint, proportions_ztest

from ml_lens_runtime import bandit
from ml_lens_runtime.intervals import mean_interval, proportion_interval
from ml_lens_runtime.stats import Comparison, Sample, Strata, compare, compare_strata, mixture_margin


def ones(successes: int, count: int) -> Sample:
    """Return a sample of zeros and ones."""
    mean = successes / count
    return Sample(count=count, mean=mean, squares=count * mean * (1 - mean))


def numbers(values: list[float]) -> Sample:
    sample = Sample()
    for value in values:
        sample = sample.add(value)
    return sample


def test_merged_parts_have_numpys_mean_and_variance() -> None:
    source = np.random.default_rng(7)
    parts = [list(source.normal(1e6, 3, size)) for size in (1, 17, 400, 2)]
    merged = Sample()
    for part in parts:
        merged = merged.merge(numbers(part))
    everything = np.concatenate(parts)
    assert merged.count == len(everything)
    assert merged.mean == pytest.approx(np.mean(everything), rel=1e-12)
    assert merged.variance == pytest.approx(np.var(everything, ddof=1), rel=1e-9)
    assert Sample().merge(Sample()) == Sample()


def test_likelihood_ratio_is_the_integral_over_the_mixture() -> None:
    control, treatment, effect = numbers([1.0, 2.0, 4.0, 8.0]), numbers([3.0, 5.0, 9.0, 4.0, 6.0]), 1.5
    difference = treatment.mean - control.mean
    spread = math.sqrt(control.variance / 4 + treatment.variance / 5)

    def weighted(true: float) -> float:
        return float(reference.norm.pdf(difference, true, spread) * reference.norm.pdf(true, 0, effect))

    ratio = integrate.quad(weighted, -50, 50)[0] / reference.norm.pdf(difference, 0, spread)
    result = compare(control, treatment, effect=effect, alpha=0.05, binary=False)
    assert result.p_value == pytest.approx(min(1.0, 1 / ratio), rel=1e-9)


def test_the_difference_has_the_variance_of_welchs_test_and_of_the_pooled_z_test() -> None:
    """Read back from the p-value, whose formula the integral above has confirmed."""
    control, treatment = ones(360, 9_000), ones(520, 10_000)
    z = float(proportions_ztest([520, 360], [10_000, 9_000])[0])
    pooled = ((treatment.mean - control.mean) / z) ** 2
    assert compare(control, treatment, effect=0.02, alpha=0.05, binary=True).p_value == pytest.approx(
        evidence(treatment.mean - control.mean, pooled, 0.02)
    )
    left, right = [0.5 * i for i in range(40)], [0.7 * i for i in range(30)]
    t = reference.ttest_ind(right, left, equal_var=False)
    difference = float(np.mean(right) - np.mean(left))
    assert compare(numbers(left), numbers(right), effect=2.0, alpha=0.05, binary=False).p_value == pytest.approx(
        evidence(difference, (difference / float(t.statistic)) ** 2, 2.0)
    )


def evidence(difference: float, variance: float, effect: float) -> float:
    wide = reference.norm.pdf(difference, 0, math.sqrt(variance + effect**2))
    return min(1.0, float(reference.norm.pdf(difference, 0, math.sqrt(variance)) / wide))


def test_strata_add_up_to_mantel_and_haenszels_statistic() -> None:
    """Theirs uses the variance of each stratum's own margins; large strata of one proportion have nearly the same."""
    counts = [((300, 6_000), (350, 6_500)), ((120, 2_500), (480, 9_000)), ((40, 1_000), (610, 11_500))]
    strata, control, treatment = Strata(), Sample(), Sample()
    for theirs, ours in counts:
        strata = strata.add(ones(*theirs), ones(*ours))
        control, treatment = control.merge(ones(*theirs)), treatment.merge(ones(*ours))
    tables = [[[b, n - b], [a, m - a]] for (a, m), (b, n) in counts]
    known = StratifiedTable([np.array(table, dtype=float) for table in tables])
    result = compare_strata(strata, control, treatment, effect=0.01, alpha=0.05)
    share = control.merge(treatment).mean
    chi_squared = result.difference**2 * strata.weight / (share * (1 - share))
    assert chi_squared == pytest.approx(float(known.test_null_odds(correction=False).statistic), rel=2e-3)
    assert result.p_value == pytest.approx(evidence(result.difference, share * (1 - share) / strata.weight, 0.01))


def test_a_stratum_of_one_side_says_nothing() -> None:
    assert Strata().add(ones(3, 9), Sample()) == Strata()
    assert compare_strata(Strata(), Sample(), Sample(), effect=0.01, alpha=0.05).p_value == 1.0


def test_a_drift_while_shares_move_is_no_difference_within_strata() -> None:
    """Each day both variants convert alike, but better on the second day, when most users get the treatment."""
    days = [(ones(90, 9_000), ones(10, 1_000)), (ones(100, 1_000), ones(900, 9_000))]
    control, treatment = days[0][0].merge(days[1][0]), days[0][1].merge(days[1][1])
    strata = Strata().add(*days[0]).add(*days[1])
    assert compare(control, treatment, effect=0.02, alpha=0.05, binary=True).p_value < 1e-9
    assert compare_strata(strata, control, treatment, effect=0.02, alpha=0.05).p_value == 1.0


def test_interval_holds_exactly_the_differences_that_are_not_rejected() -> None:
    control, treatment = ones(50, 1_000), ones(90, 1_000)
    result = compare(control, treatment, effect=0.02, alpha=0.05, binary=True)
    assert (result.low > 0) == (result.p_value <= 0.05)
    variance = 2 * 0.07 * 0.93 / 1_000
    margin = mixture_margin(variance, effect=0.02, alpha=0.05)
    assert evidence(margin, variance, 0.02) == pytest.approx(0.05)
    assert result.high - result.low == pytest.approx(2 * margin)


@pytest.mark.parametrize("pair", [(Sample(), Sample()), (ones(0, 50), ones(0, 50)), (ones(1, 1), ones(0, 90))])
def test_nothing_is_said_without_variation(pair: tuple[Sample, Sample]) -> None:
    difference = pair[1].mean - pair[0].mean
    expected = Comparison(difference=difference, low=-math.inf, high=math.inf, p_value=1.0)
    assert compare(*pair, effect=0.1, alpha=0.05, binary=True) == expected


@pytest.mark.parametrize(("successes", "count"), [(0, 30), (3, 100), (40, 1_000), (70, 70), (500_000, 1_000_000)])
def test_interval_of_a_proportion_ends_where_the_beta_mixture_says(successes: int, count: int) -> None:
    low, high = proportion_interval(successes, count, alpha=0.05)
    failures = count - successes
    for edge in (low, high):
        if 0 < edge < 1:  # ln of Beta(1+s, 1+f) / (p^s (1-p)^f)
            binomial = reference.binom.logpmf(successes, count, edge)
            mixed = reference.betabinom.logpmf(successes, count, 1, 1)
            assert mixed - binomial == pytest.approx(math.log(20), abs=1e-5)
    wilson = proportion_confint(successes, count, alpha=0.05, method="wilson")
    assert low <= wilson[0] + 1e-12
    assert high >= wilson[1] - 1e-12  # the price of looking always
    assert (low == 0.0) == (successes == 0)
    assert (high == 1.0) == (failures == 0)


def test_interval_of_no_user_is_everything() -> None:
    assert proportion_interval(0, 0, alpha=0.05) == (0.0, 1.0)
    assert mean_interval(Sample(count=1, mean=3.0), alpha=0.05, sharpest_at=10) == (-math.inf, math.inf)


def test_interval_of_a_mean_is_wider_than_the_t_interval_and_narrow_where_it_was_asked_to_be() -> None:
    sample = numbers([float(value) for value in np.random.default_rng(3).normal(10, 2, 900)])
    low, high = mean_interval(sample, alpha=0.05, sharpest_at=900)
    known = reference.t.interval(0.95, 899, loc=sample.mean, scale=math.sqrt(sample.variance / 900))
    assert low < known[0] < known[1] < high
    assert high - low < 1.6 * (known[1] - known[0])
    elsewhere = mean_interval(sample, alpha=0.05, sharpest_at=9)
    assert elsewhere[1] - elsewhere[0] > high - low


def missed(*, runs: int, users: int, truth: float, seed: int) -> int:
    """Count the runs in which any look of many misses the truth."""
    source, count = random.Random(seed), 0
    for _ in range(runs):
        successes, missing = 0, False
        for n in range(1, users + 1):
            successes += source.random() < truth
            if n % 20 == 0:
                low, high = proportion_interval(successes, n, alpha=0.05)
                missing = missing or not low <= truth <= high
        count += missing
    return count


def test_looking_a_hundred_times_misses_the_true_proportion_in_less_than_one_in_twenty_runs() -> None:
    assert missed(runs=200, users=2_000, truth=0.3, seed=11) <= 10


def test_win_probability_is_the_integral_over_both_posteriors() -> None:
    control, treatment = ones(40, 1_000), ones(52, 1_000)
    theirs, ours = reference.beta(41, 961), reference.beta(53, 949)
    exact = integrate.quad(lambda p: theirs.cdf(p) * ours.pdf(p), 0, 0.3)[0]
    sampled = bandit.win_probability(control, treatment, seed="t/3")
    assert sampled == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / bandit.DRAWS))
    assert sampled == bandit.win_probability(control, treatment, seed="t/3")


@pytest.mark.parametrize(
    ("current", "win", "expected"),
    [(0.5, 0.99, 0.6), (0.5, 0.01, 0.4), (0.5, 0.53, 0.53), (0.9, 1.0, 0.95), (0.1, 0.0, 0.05), (0.95, 1.0, 0.95)],
)
def test_share_follows_the_win_probability_in_bounded_steps_above_the_floor(
    current: float, win: float, expected: float
) -> None:
    assert bandit.next_share(current, win=win, max_step=0.1, floor=0.05) == pytest.approx(expected)
