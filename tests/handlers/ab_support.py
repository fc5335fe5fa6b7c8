"""Plans, simulated users and a mocked account for the tests of the A/B test's handlers."""

from __future__ import annotations

import random
from dataclasses import replace

from ml_lens_runtime import ab_judge, assignment
from ml_lens_runtime.ab_plan import Plan
from ml_lens_runtime.ab_state import State
from ml_lens_runtime.stats import Sample

NOW = 1_800_000_000.0
HOUR = 3600
FIXED = Plan(
    test="checkout",
    control="blue",
    treatment="green",
    treatment_share=0.5,
    metric="conversion",
    minimum=0.0,
    maximum=1.0,
    window_seconds=24 * HOUR,
    cohort_seconds=HOUR,
    grace_seconds=900,
    policy="fixed",
    alpha=0.05,
    effect=0.02,
    min_users=200,
    max_users=20_000,
)
THOMPSON = replace(FIXED, policy="thompson", min_users=1_000, max_users=60_000, max_step=0.1, floor=0.1)


def simulate(plan: Plan, *, rates: tuple[float, float], run: int, cohort: int = 250) -> State:
    """Run a whole test on simulated users: hash to a side, convert by chance, look after every cohort."""
    plan = replace(plan, test=f"{plan.test}-{run}")
    source, number, now = random.Random(f"{rates}/{run}"), 0, NOW
    state = State.first(plan, now)
    while state.verdict is None:
        now += 60
        treated = assignment.share_at(state.shares, now).treatment
        counts, wins = [0, 0], [0, 0]
        for _ in range(cohort):
            number += 1
            place = assignment.point(assignment.user_key(plan.test, f"user-{number}"))
            side = assignment.is_treated(place, treatment=treated)
            counts[side] += 1
            wins[side] += source.random() < rates[side]
        state = state.take_in(ones(wins[0], counts[0]), ones(wins[1], counts[1]))
        state = replace(state, looks=state.looks + 1)
        state = ab_judge.judge(state, plan, endpoint="shop", shifts=False, now=now)
    return state


def ones(successes: int, count: int) -> Sample:
    """Return a sample of zeros and ones."""
    if count == 0:
        return Sample()
    mean = successes / count
    return Sample(count=count, mean=mean, squares=count * mean * (1 - mean))
