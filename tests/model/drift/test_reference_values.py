"""The statistics agree with SciPy's, statsmodels' and textbook formulas to 1e-9."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]
from statsmodels.stats.multitest import multipletests  # type: ignore[import-untyped]
from statsmodels.stats.proportion import proportion_confint  # type: ignore[import-untyped]

from model_src.drift import categorical, numeric
from model_src.drift.distributions import Vector, beta_interval, kolmogorov_smirnov_p
from model_src.drift.faults import worse_share_p
from model_src.drift.multiple import holm


def samples(seed: int, ties: bool) -> tuple[Vector, Vector]:
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=400), rng.normal(0.2, 1.3, size=300)
    return (np.round(first, 1), np.round(second, 1)) if ties else (first, second)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_kolmogorov_smirnov_is_scipys(seed: int, ties: bool) -> None:
    first, second = samples(seed, ties)
    expected = stats.ks_2samp(first, second, method="asymp")
    distance = numeric.kolmogorov_smirnov(first, second)
    assert distance == pytest.approx(expected.statistic, abs=1e-9)
    assert kolmogorov_smirnov_p(distance, 400, 300) == pytest.approx(expected.pvalue, abs=1e-9)


def test_population_stability_index_is_the_sum_of_both_relative_entropies() -> None:
    expected, actual = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.25, 0.25, 0.1, 0.4])
    both = stats.entropy(actual, expected) + stats.entropy(expected, actual)
    assert numeric.population_stability(expected, actual) == pytest.approx(both, abs=1e-9)


def test_an_empty_bin_counts_as_a_share_of_one_in_ten_thousand() -> None:
    index = numeric.population_stability(np.array([0.5, 0.5]), np.array([0.0, 1.0]))
    by_hand = (0.0001 - 0.5) * np.log(0.0001 / 0.5) + 0.5 * np.log(2)
    assert index == pytest.approx(by_hand, abs=1e-9)


def test_wasserstein_distance_of_equal_sizes_is_the_mean_distance_of_ordered_values() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=500), rng.normal(2, 3, size=500)
    by_hand = np.mean(np.abs(np.sort(first) - np.sort(second)))
    assert numeric.distance_in_deviations(first, second, 2.0) == pytest.approx(by_hand / 2, abs=1e-9)
    assert numeric.distance_in_deviations(first, second, 0.0) == pytest.approx(by_hand, abs=1e-9)


def test_jensen_shannon_distance_is_the_root_of_the_mean_entropy_to_the_middle() -> None:
    baseline, window = {"a": 70, "b": 30}, {"a": 20, "c": 20}
    first, second = np.array([0.7, 0.3, 0.0]), np.array([0.5, 0.0, 0.5])
    middle = (first + second) / 2
    divergence = (stats.entropy(first, middle, base=2) + stats.entropy(second, middle, base=2)) / 2
    assert categorical.category_distance(baseline, window) == pytest.approx(np.sqrt(divergence), abs=1e-9)
    assert categorical.category_distance(baseline, {"a": 7, "b": 3}) == pytest.approx(0.0, abs=1e-7)


def test_categories_are_tested_by_pearsons_chi_square() -> None:
    baseline, window = {"a": 700, "b": 200, "c": 100}, {"a": 120, "b": 60, "c": 20}
    expected = stats.chi2_contingency([[700, 200, 100], [120, 60, 20]], correction=False).pvalue
    assert categorical.category_p(baseline, window, 1000, 200) == pytest.approx(expected, abs=1e-9)


def test_rare_categories_are_pooled_before_the_test() -> None:
    baseline, window = {"a": 990, "b": 5, "c": 5}, {"a": 95, "b": 3, "d": 2}
    expected = stats.chi2_contingency([[990, 10], [95, 5]], correction=False).pvalue
    assert categorical.category_p(baseline, window, 1000, 100) == pytest.approx(expected, abs=1e-9)


def test_shares_of_bad_rows_are_tested_by_fishers_exact_test() -> None:
    expected = stats.fisher_exact([[9, 191], [20, 3980]], alternative="greater").pvalue
    assert worse_share_p(9, 200, 20, 4000, worth=1, base=1) == pytest.approx(expected, abs=1e-9)


def test_holms_adjustment_is_statsmodels() -> None:
    values = [0.04, 0.001, 0.3, 0.012, 0.0007, 0.9]
    assert holm(values) == pytest.approx(list(multipletests(values, method="holm")[1]), abs=1e-9)
    assert holm([]) == []


@pytest.mark.parametrize("successes", [0, 3, 40])
def test_exact_interval_of_a_share_is_statsmodels(successes: int) -> None:
    expected = proportion_confint(successes, 40, alpha=0.05, method="beta")
    assert beta_interval(successes, 40, 0.95) == pytest.approx(expected, abs=1e-9)
