"""What an A/B test promises, on simulated users: the better model wins, equal ones are seldom called different."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

from ml_lens_runtime.ab_plan import Plan
from ml_lens_runtime.stats import compare
from tests.handlers.ab_support import FIXED, THOMPSON, ones, simulate

RUNS = 100


def decisions(plan: Plan, *, rates: tuple[float, float], runs: int = RUNS) -> Counter[str]:
    states = [simulate(plan, rates=rates, run=run) for run in range(runs)]
    return Counter(state.verdict["decision"] for state in states if state.verdict is not None)


def test_six_percent_beats_four_percent_in_at_least_95_of_100_runs() -> None:
    found = decisions(FIXED, rates=(0.04, 0.06))
    assert found["treatment"] >= 95
    assert found.total() == RUNS


def test_a_worse_treatment_loses_in_at_least_95_of_100_runs() -> None:
    assert decisions(FIXED, rates=(0.06, 0.04))["control"] >= 95


def test_equal_models_are_declared_different_in_at_most_5_of_100_runs() -> None:
    found = decisions(FIXED, rates=(0.05, 0.05))
    assert found["treatment"] + found["control"] <= 5
    assert found.total() == RUNS


def is_ever_declared_different(*, rate: float, pairs: int, seed: int) -> bool:
    """Look after every single pair of users."""
    source, wins = random.Random(seed), [0, 0]
    for count in range(1, pairs + 1):
        wins = [won + (source.random() < rate) for won in wins]
        if count >= FIXED.min_users:
            samples = [ones(won, count) for won in wins]
            if compare(samples[0], samples[1], effect=FIXED.effect, alpha=FIXED.alpha, binary=True).p_value <= 0.05:
                return True
    return False


def test_looking_after_every_pair_of_users_does_not_break_the_promise() -> None:
    assert sum(is_ever_declared_different(rate=0.05, pairs=4_000, seed=seed) for seed in range(RUNS)) <= 5


def test_equal_models_on_uneven_shares_are_declared_different_in_at_most_5_of_100_runs() -> None:
    found = decisions(replace(FIXED, treatment_share=0.1), rates=(0.05, 0.05))
    assert found["treatment"] + found["control"] <= 5


def test_thompson_sampling_finds_the_better_model_and_gives_it_most_of_the_users() -> None:
    states = [simulate(THOMPSON, rates=(0.04, 0.06), run=run, cohort=2_000) for run in range(20)]
    assert sum(state.verdict is not None and state.verdict["decision"] == "treatment" for state in states) >= 19
    users = sum(state.treatment.count for state in states), sum(state.control.count for state in states)
    assert users[0] > 1.3 * users[1]
    assert all(0.05 <= state.shares[-1].treatment <= 0.95 for state in states)


def test_thompson_sampling_declares_equal_models_different_in_at_most_5_of_100_runs() -> None:
    plan = replace(THOMPSON, max_users=10_000)
    states = [simulate(plan, rates=(0.05, 0.05), run=run, cohort=2_000) for run in range(RUNS)]
    assert sum(state.verdict is not None and state.verdict["winner"] is not None for state in states) <= 5
