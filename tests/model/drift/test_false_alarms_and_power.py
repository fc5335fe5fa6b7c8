"""What is promised: windows without change stay silent at the stated rate, and a shift of one sigma is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from model_src.drift.distributions import Vector
from model_src.drift.judge import Rules, judge
from model_src.drift.profile import Baseline
from tests.model.drift.support import DAY, autocorrelated, baseline_of, daily, numbers

FEATURES = ("temperature", "vibration", "pressure", "speed", "current")
WINDOWS = 200
RATES = (0.01, 0.05)
FOUND = 0.95
WITHIN = 2
"""Windows of changed readings in which a shift of one sigma is promised to be found."""
Series = Callable[[np.random.Generator, int], Vector]


def independent(rng: np.random.Generator, rows: int) -> Vector:
    return rng.normal(size=rows)


def skewed(rng: np.random.Generator, rows: int) -> Vector:
    return rng.exponential(size=rows)


def sensor(rng: np.random.Generator, rows: int) -> Vector:
    return autocorrelated(rng, rows, 0.8)


def windows(series: Series, rows: int, baseline_rows: int) -> Iterator[tuple[Baseline, list[dict[str, Vector]]]]:
    """Yield a baseline of its own and two windows for each seed, all of one process."""
    for seed in range(WINDOWS):
        rng = np.random.default_rng(seed)
        baseline = baseline_of({name: series(rng, baseline_rows) for name in FEATURES})
        yield baseline, [{name: series(rng, rows) for name in FEATURES} for _ in range(WITHIN)]


def drifted(baseline: Baseline, window: dict[str, Vector], rate: float) -> bool:
    columns = {name: numbers(values) for name, values in window.items()}
    return judge(baseline, columns, Rules(false_alarm_rate=rate)).drifted


def alarm_rates(windows: Iterator[tuple[Baseline, dict[str, Vector]]]) -> dict[float, float]:
    """Return the share of windows called drifted, by the rate that was asked for."""
    found = dict.fromkeys(RATES, 0)
    for baseline, window in windows:
        for rate in RATES:
            found[rate] += drifted(baseline, window, rate)
    return {rate: count / WINDOWS for rate, count in found.items()}


CASES = [
    pytest.param(independent, 200, 4000, id="independent"),
    pytest.param(skewed, 200, 4000, id="skewed"),
    pytest.param(sensor, 720, 7200, id="autocorrelated"),
    pytest.param(daily, DAY, 28 * DAY, id="whole-days-of-a-daily-cycle"),
]


@pytest.mark.parametrize(("series", "rows", "baseline_rows"), CASES)
def test_windows_without_change_raise_no_more_alarms_than_stated(series: Series, rows: int, baseline_rows: int) -> None:
    measured = alarm_rates((baseline, both[0]) for baseline, both in windows(series, rows, baseline_rows))
    assert all(share <= rate for rate, share in measured.items()), measured


@pytest.mark.parametrize(("series", "rows", "baseline_rows"), CASES)
def test_a_mean_shift_of_one_sigma_is_found_within_two_windows(series: Series, rows: int, baseline_rows: int) -> None:
    found = 0
    for baseline, both in windows(series, rows, baseline_rows):
        sigma = baseline.features["pressure"].std
        shifted = [{**window, "pressure": window["pressure"] + sigma} for window in both]
        found += any(drifted(baseline, window, 0.01) for window in shifted)
    assert found / WINDOWS >= FOUND


def test_a_part_of_a_daily_cycle_is_no_drift() -> None:
    def quarters() -> Iterator[tuple[Baseline, dict[str, Vector]]]:
        for seed in range(WINDOWS):
            rng = np.random.default_rng(seed)
            baseline = baseline_of({name: daily(rng, 14 * DAY) for name in FEATURES})
            start = int(rng.integers(DAY))
            yield baseline, {name: daily(rng, DAY // 4, start) for name in FEATURES}

    measured = alarm_rates(quarters())
    assert all(share <= rate for rate, share in measured.items()), measured


def test_readings_that_follow_each_other_would_raise_alarms_if_they_were_taken_as_independent() -> None:
    from dataclasses import replace

    from model_src.drift.dependence import Dependence

    naive = 0
    for seed in range(50):
        rng = np.random.default_rng(seed)
        honest = baseline_of({"temperature": autocorrelated(rng, 7200, 0.95)})
        profile = replace(honest.features["temperature"], dependence=Dependence())
        blind = Baseline(version="1", made_from="1", features={"temperature": profile})
        naive += drifted(blind, {"temperature": autocorrelated(rng, 720, 0.95)}, 0.01)
    assert naive > 25
