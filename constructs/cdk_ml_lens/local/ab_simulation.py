"""Simulated users through the A/B test's own runtime code. A script: `lambda_src` is its path, it imports no library.

``python ab_simulation.py RUNS`` prints one JSON object: how often each side was declared the winner.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from dataclasses import replace

from ml_lens_runtime import ab_judge, assignment
from ml_lens_runtime.ab_plan import Plan
from ml_lens_runtime.ab_state import State
from ml_lens_runtime.stats import Sample

START = 1_800_000_000.0
COHORT = 250  # users between two looks
HOUR = 3600
PLAN = Plan(
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


def run(plan: Plan, number: int, rates: tuple[float, float], *, cohort: int = COHORT) -> State:
    """Run one test to its decision: users hash to a side, convert by chance, and are looked at in cohorts."""
    plan = replace(plan, test=f"{plan.test}-{number}")
    chance, users, now = random.Random(f"{rates}/{number}"), 0, START
    state = State.first(plan, now)
    while state.verdict is None:
        now += 60
        treated = assignment.share_at(state.shares, now).treatment
        counts, wins = [0, 0], [0, 0]
        for _ in range(cohort):
            users += 1
            place = assignment.point(assignment.user_key(plan.test, f"user-{users}"))
            side = assignment.is_treated(place, treatment=treated)
            counts[side] += 1
            wins[side] += chance.random() < rates[side]
        state = state.take_in(ones(wins[0], counts[0]), ones(wins[1], counts[1]))
        state = ab_judge.judge(replace(state, looks=state.looks + 1), plan, endpoint="demo", shifts=False, now=now)
    return state


def ones(successes: int, count: int) -> Sample:
    """Return a sample of zeros and ones."""
    mean = successes / max(1, count)
    return Sample(count=count, mean=mean, squares=count * mean * (1 - mean))


def decisions(runs: int, rates: tuple[float, float]) -> dict[str, object]:
    """Return how often each decision was made, and the median of the users that it took."""
    states = [run(PLAN, number, rates) for number in range(runs)]
    users = sorted(state.control.count + state.treatment.count for state in states)
    found = Counter(str(state.verdict["decision"]) for state in states if state.verdict is not None)
    return {"decisions": dict(found), "median_users": users[len(users) // 2]}


if __name__ == "__main__":
    count = int(sys.argv[1])
    print(json.dumps({"better": decisions(count, (0.04, 0.06)), "equal": decisions(count, (0.05, 0.05))}))
