"""Looks at an A/B test: takes in users whose window closed, decides or moves shares, announces, starts the shift."""

from __future__ import annotations

import functools
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from ml_lens_runtime import ab_cohorts, ab_judge, ab_metrics, strict_json
from ml_lens_runtime.ab_clients import AbClients
from ml_lens_runtime.ab_plan import Setup
from ml_lens_runtime.ab_state import State, StateStore
from ml_lens_runtime.outcomes import SETTLE_SECONDS

logger = logging.getLogger(__name__)

SOURCE = "cdk-ml-lens.abtest"
RESERVE_SECONDS = 30.0  # left for the decision and its announcement; further cohorts wait for the next look


class NotDeliveredError(RuntimeError):
    """EventBridge did not take an event; it stays in the outbox for the next look."""


@functools.cache
def _process() -> tuple[Setup, AbClients]:
    """Parse the environment and prepare the clients once per process."""
    return Setup.parse(os.environ), AbClients()


def handler(_event: Any, context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    setup, clients = _process()
    remaining: Callable[[], float] = lambda: context.get_remaining_time_in_millis() / 1000  # noqa: E731
    return run(setup=setup, clients=clients, now=time.time(), time_left=remaining)


def run(*, setup: Setup, clients: AbClients, now: float, time_left: Callable[[], float]) -> dict[str, Any]:
    """Look once; two looks at the same time, or one look twice, change nothing more than one.

    Parameters
    ----------
    setup : Setup
        The parsed environment.
    clients : AbClients
        The AWS clients.
    now : float
        Seconds since the epoch.
    time_left : callable
        Seconds until Lambda ends the function.

    Returns
    -------
    dict
        Where the test stands: ``users``, ``share``, ``verdict``.

    Raises
    ------
    StateConflictError
        Another look was quicker; what this one worked out is void.
    NotDeliveredError, ClientError, BotoCoreError
        Something could not be read, written or announced; the next look goes on from there.
    """
    look = _Look(setup=setup, clients=clients, now=now)
    state = look.deliver(look.store.load(setup.plan, now))
    if state.verdict is None:
        before = state.cohort
        state = look.take_in(state, time_left)
        if state.cohort > before:
            state = replace(state, looks=state.looks + 1)
        state = look.deliver(look.judge(state))
    print(ab_metrics.line(_figures(state), test=setup.plan.test, now=now))  # CloudWatch reads standard output
    return {
        "test": setup.plan.test,
        "users": {"control": state.control.count, "treatment": state.treatment.count},
        "share": state.shares[-1].treatment,
        "verdict": state.verdict,
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class _Look:
    """One look at a moment."""

    setup: Setup
    clients: AbClients
    now: float

    @property
    def store(self) -> StateStore:
        """The state's home."""
        return StateStore(table=self.setup.table, client=self.clients.ledger)

    def take_in(self, state: State, time_left: Callable[[], float]) -> State:
        """Add the users of every cohort whose outcomes are complete, one write per cohort."""
        plan = self.setup.plan
        while plan.closes_at(state.cohort) + SETTLE_SECONDS <= self.now and time_left() > RESERVE_SECONDS:
            control, treatment = ab_cohorts.samples(
                state.cohort, plan=plan, table=self.setup.table, client=self.clients.ledger
            )
            state = self.store.save(state.take_in(control, treatment))
        return state

    def judge(self, state: State) -> State:
        """Decide or move shares, and write it."""
        judged = ab_judge.judge(
            state,
            self.setup.plan,
            endpoint=self.setup.endpoint_name,
            shifts=bool(self.setup.shift_arn),
            now=self.now,
        )
        return self.store.save(judged)

    def deliver(self, state: State) -> State:
        """Send what is in the outbox, in its order, and note each as sent."""
        while state.outbox:
            self._send(state.outbox[0])
            state = self.store.save(replace(state, outbox=state.outbox[1:]))
        return state

    def _send(self, message: dict[str, Any]) -> None:
        if message["kind"] == "shift":
            self._start(message["input"])
            return
        entry = {"Source": SOURCE, "DetailType": message["type"], "Detail": strict_json.dumps(message["detail"])}
        answer = self.clients.bus.put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            raise NotDeliveredError(str(answer["Entries"][0].get("ErrorCode")))
        logger.info("announced", extra={"type": message["type"]})

    def _start(self, given: dict[str, Any]) -> None:
        """Start the traffic shift; its name belongs to the decision, so that it starts once."""
        name = f"{given['test'][:60]}-{int(given['verdict']['decided_at'])}"
        try:
            self.clients.state_machine.start_execution(
                stateMachineArn=self.setup.shift_arn, name=name, input=strict_json.dumps(given)
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise


def _figures(state: State) -> dict[str, float]:
    return {
        "ControlUsers": float(state.control.count),
        "TreatmentUsers": float(state.treatment.count),
        "ControlMean": state.control.mean,
        "TreatmentMean": state.treatment.mean,
        "TreatmentShare": state.shares[-1].treatment,
        "Decided": float(state.verdict is not None),
    }
