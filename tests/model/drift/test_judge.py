"""The verdict on a window: faults of cells, effects that matter, windows that say too little."""

from __future__ import annotations

import numpy as np
import pytest

from model_src.drift.columns import Cell, column
from model_src.drift.judge import Rules, Verdict, judge
from model_src.drift.profile import Baseline, profile_of
from tests.model.drift.support import autocorrelated, baseline_of, numbers

RULES = Rules()


def normal(seed: int, rows: int) -> list[Cell]:
    return list(np.random.default_rng(seed).normal(size=rows).tolist())


def verdict(cells: list[Cell], *, rules: Rules = RULES) -> Verdict:
    baseline = baseline_of({"speed": np.array(normal(0, 5000), dtype=np.float64)})
    return judge(baseline, {"speed": column(cells, "number")}, rules)


def checks(found: Verdict) -> set[str]:
    return {violation.check for violation in found.violations}


def test_cells_that_go_missing_are_a_violation_of_completeness() -> None:
    assert checks(verdict([*normal(1, 280), *["" for _ in range(20)]])) == {"completeness"}


def test_one_missing_cell_of_many_is_none() -> None:
    assert not verdict([*normal(1, 299), None]).drifted


def test_words_where_numbers_were_are_a_violation_of_the_type() -> None:
    assert checks(verdict([*normal(1, 280), *["broken" for _ in range(20)]])) == {"type"}


def test_values_beyond_the_baselines_range_are_a_violation_although_the_bulk_is_unchanged() -> None:
    assert checks(verdict([*normal(1, 290), *[50.0 for _ in range(10)]])) == {"range"}


def test_a_wider_spread_is_found_by_the_distribution() -> None:
    found = verdict([float(str(cell)) * 2.5 for cell in normal(1, 400)])
    assert "stability" in checks(found)
    assert all(violation.p_value <= RULES.false_alarm_rate for violation in found.violations)


def test_a_difference_that_is_significant_but_small_is_no_drift() -> None:
    cells = [float(str(cell)) + 0.08 for cell in normal(1, 60_000)]
    baseline = baseline_of({"speed": np.array(normal(0, 600_000), dtype=np.float64)})
    found = judge(baseline, {"speed": column(cells, "number")}, RULES)
    (distribution,) = [test for test in found.tests if test.check == "distribution"]
    assert distribution.p_value < 1e-6
    assert distribution.value < distribution.limit
    assert not found.drifted


def test_a_window_with_too_few_rows_is_not_judged() -> None:
    found = verdict([9.0] * 99)
    assert (found.rows, found.judged, found.drifted) == (99, False, False)
    assert verdict([9.0] * 100).drifted


def test_a_window_that_says_too_little_about_the_distribution_names_the_feature() -> None:
    rng = np.random.default_rng(0)
    baseline = baseline_of({"slow": autocorrelated(rng, 5000, 0.995)})
    found = judge(baseline, {"slow": numbers(autocorrelated(rng, 200, 0.995))}, RULES)
    assert found.too_short == ("slow",)
    assert {test.check for test in found.tests} == {"completeness", "type", "range"}


def test_categories_that_change_their_shares_and_new_ones_are_found() -> None:
    before: list[Cell] = ["on", "off", "off", "idle"] * 1000
    np.random.default_rng(0).shuffle(before)
    baseline = Baseline(version="1", made_from="1", features={"state": profile_of(column(before, "category"))})
    same: list[Cell] = before[:300]
    mostly_on: list[Cell] = [*("on" for _ in range(250)), *("off" for _ in range(50))]
    unseen: list[Cell] = [*before[:280], *("error" for _ in range(20))]
    found = {
        name: checks(judge(baseline, {"state": column(cells, "category")}, RULES))
        for name, cells in (("same", same), ("mostly_on", mostly_on), ("unseen", unseen))
    }
    assert found["same"] == set()
    assert "distribution" in found["mostly_on"]
    assert "range" in found["unseen"]


def test_predictions_are_tested_like_a_feature() -> None:
    rng = np.random.default_rng(0)
    held_out = profile_of(numbers(rng.normal(size=5000)))
    features = baseline_of({"speed": rng.normal(size=5000)}).features
    baseline = Baseline(version="1", made_from="1", features=features, prediction=held_out)
    window = {"speed": numbers(rng.normal(size=300)), "prediction": numbers(rng.normal(1, 1, size=300))}
    assert {violation.feature for violation in judge(baseline, window, RULES).violations} == {"prediction"}


def test_a_feature_that_never_changed_is_found_when_it_does() -> None:
    baseline = baseline_of({"fixed": np.full(5000, 7.0)})
    assert not judge(baseline, {"fixed": numbers(np.full(200, 7.0))}, RULES).drifted
    assert judge(baseline, {"fixed": numbers(np.full(200, 8.0))}, RULES).drifted


def test_more_features_ask_for_more_evidence() -> None:
    rng = np.random.default_rng(3)
    series = {f"feature_{number}": rng.normal(size=5000) for number in range(40)}
    shifted = {name: numbers(rng.normal(size=200)) for name in series}
    shifted["feature_0"] = numbers(rng.normal(0.35, 1, size=200))
    alone = baseline_of({"feature_0": series["feature_0"]})
    lone = judge(alone, {"feature_0": shifted["feature_0"]}, RULES).tests
    among = judge(baseline_of(series), shifted, RULES).tests
    p_alone = min(test.p_value for test in lone)
    p_among = min(test.p_value for test in among if test.feature == "feature_0")
    assert p_among == pytest.approx(p_alone * 40, rel=0.05)
