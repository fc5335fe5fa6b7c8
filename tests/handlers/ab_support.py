"""Plans and simulated users for the tests of the A/B test's handlers; the simulation is that of the demo."""

from __future__ import annotations

from dataclasses import replace

from cdk_ml_lens.local.ab_simulation import PLAN as FIXED
from cdk_ml_lens.local.ab_simulation import START as NOW
from cdk_ml_lens.local.ab_simulation import ones
from cdk_ml_lens.local.ab_simulation import run as _run
from ml_lens_runtime.ab_plan import Plan
from ml_lens_runtime.ab_state import State

__all__ = ("FIXED", "NOW", "THOMPSON", "ones", "simulate")

HOUR = 3600
THOMPSON = replace(FIXED, policy="thompson", min_users=1_000, max_users=60_000, max_step=0.1, floor=0.1)


def simulate(plan: Plan, *, rates: tuple[float, float], run: int, cohort: int = 250) -> State:
    """Run a whole test on simulated users."""
    return _run(plan, run, rates, cohort=cohort)
