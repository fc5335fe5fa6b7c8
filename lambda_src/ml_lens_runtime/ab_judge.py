"""From samples to a verdict or new shares: the decision rules of the A/B test, pure functions of its state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ml_lens_runtime import bandit, intervals, stats
from ml_lens_runtime.ab_plan import Plan
from ml_lens_runtime.ab_state import ANNOUNCE_SECONDS, State
from ml_lens_runtime.assignment import Share

DECIDED = "AB Test Decided"
SHARES_CHANGED = "AB Test Weights Changed"
LEAST_CHANGE = 0.01  # smaller changes of a share are not worth moving anybody

Findings = dict[str, Any]


def find(state: State, plan: Plan) -> Findings:
    """Return what the samples say: figures by variant, the difference, and the side that won, if any.

    The fixed policy compares the means (`stats.compare`); under Thompson sampling, where outcomes decide who comes
    next, the comparison is made within cohorts (`stats.compare_strata`).
    """
    control, treatment = (_interval(sample, plan) for sample in (state.control, state.treatment))
    if plan.policy == "thompson":
        result = stats.compare_strata(
            state.strata, state.control, state.treatment, effect=plan.effect, alpha=plan.alpha
        )
    else:
        result = stats.compare(state.control, state.treatment, effect=plan.effect, alpha=plan.alpha, binary=plan.binary)
    better = "treatment" if result.low > 0 else "control" if result.high < 0 else None
    ready = min(state.control.count, state.treatment.count) >= plan.min_users
    return {
        "winner": better if ready else None,
        "difference": result.difference,
        "low": result.low,
        "high": result.high,
        "p_value": result.p_value,
        "control": {"users": state.control.count, "mean": state.control.mean, "low": control[0], "high": control[1]},
        "treatment": {
            "users": state.treatment.count,
            "mean": state.treatment.mean,
            "low": treatment[0],
            "high": treatment[1],
        },
    }


def judge(state: State, plan: Plan, *, endpoint: str, shifts: bool, now: float) -> State:
    """Return the state after a look: decided, with other shares, or as it was.

    Parameters
    ----------
    state : State
        With the samples of this look; not decided yet.
    plan : Plan
        The rules.
    endpoint : str
        Name, for the events.
    shifts : bool
        Whether a traffic shift follows a winner.
    now : float
        Seconds since the epoch.
    """
    findings = find(state, plan)
    if findings["winner"] is not None or state.control.count + state.treatment.count >= plan.max_users:
        return _decide(state, plan, findings, endpoint=endpoint, shifts=shifts, now=now)
    wanted = _wanted_share(state, plan)
    current = state.shares[-1]
    if abs(wanted - current.treatment) < LEAST_CHANGE or now < current.since:
        return state
    share = Share(version=current.version + 1, treatment=wanted, since=now + ANNOUNCE_SECONDS)
    detail = {
        "test": plan.test,
        "endpoint": endpoint,
        "version": share.version,
        "treatment_share": share.treatment,
        "effective_at": share.since,
        "variants": _names(plan),
    }
    event = {"kind": "event", "type": SHARES_CHANGED, "detail": detail}
    return replace(state, shares=(current, share), outbox=(*state.outbox, event))


def _wanted_share(state: State, plan: Plan) -> float:
    """Return the share that the plan says, or that the evidence says once the warm-up is over."""
    if plan.policy == "fixed":
        return plan.treatment_share  # other than the state's after a deployment that changed it
    if min(state.control.count, state.treatment.count) < plan.min_users:
        return state.shares[-1].treatment
    win = bandit.win_probability(state.control, state.treatment, seed=f"{plan.test}/{state.looks}")
    return bandit.next_share(state.shares[-1].treatment, win=win, max_step=plan.max_step, floor=plan.floor)


def _decide(state: State, plan: Plan, findings: Findings, *, endpoint: str, shifts: bool, now: float) -> State:
    side = findings["winner"]
    winner = None if side is None else plan.variant(treated=side == "treatment")
    verdict = {
        "test": plan.test,
        "endpoint": endpoint,
        "decision": "inconclusive" if side is None else side,
        "winner": winner,
        "metric": plan.metric,
        "policy": plan.policy,
        "alpha": plan.alpha,
        "looks": state.looks,
        "decided_at": now,
        **{name: value for name, value in findings.items() if name != "winner"},
        "variants": _names(plan),
    }
    outbox = [*state.outbox, {"kind": "event", "type": DECIDED, "detail": verdict}]
    released = None
    if shifts and winner is not None:
        outbox.append({"kind": "shift", "input": {"winner": winner, "test": plan.test, "verdict": verdict}})
        released = now + ANNOUNCE_SECONDS
    return replace(state, verdict=verdict, released_at=released, outbox=tuple(outbox))


def _names(plan: Plan) -> dict[str, str]:
    return {"control": plan.control, "treatment": plan.treatment}


def _interval(sample: stats.Sample, plan: Plan) -> tuple[float, float]:
    if plan.binary:
        return intervals.proportion_interval(sample.successes, sample.count, alpha=plan.alpha)
    return intervals.mean_interval(sample, alpha=plan.alpha, sharpest_at=max(2, plan.max_users // 4))
