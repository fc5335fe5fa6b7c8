"""Starts retraining: takes causes, one run at a time, never two within the cool-down, none lost, none doubled."""

from __future__ import annotations

import functools
import logging
import os
import random
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ml_lens_runtime import retrain_events
from ml_lens_runtime.retrain_events import Ended
from ml_lens_runtime.retrain_flow import Flow
from ml_lens_runtime.retrain_metrics import line
from ml_lens_runtime.retrain_outbox import deliver
from ml_lens_runtime.retrain_setup import RetrainClients, Setup
from ml_lens_runtime.retrain_state import Cause, State
from ml_lens_runtime.retrain_store import KnownCauseError, StateConflictError

logger = logging.getLogger(__name__)

ATTEMPTS = 5  # against others who write at the same time; then Lambda delivers the event again
PAUSE_SECONDS = 0.2


@functools.cache
def _process() -> tuple[Setup, RetrainClients]:
    """Parse the environment and prepare the clients once per process."""
    return Setup.parse(os.environ), RetrainClients()


def handler(event: Any, _context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    setup, clients = _process()
    return run(setup=setup, event=event, clients=clients, now=time.time(), sleep=time.sleep)


def run(
    *, setup: Setup, event: Any, clients: RetrainClients, now: float, sleep: Callable[[float], None]
) -> dict[str, Any]:
    """Take a cause, or note an end, and go on from where retraining stands; the same event twice is once.

    Parameters
    ----------
    setup : Setup
        The parsed environment.
    event : Any
        What Lambda handed over; see `retrain_events.parse`.
    clients : RetrainClients
        The AWS clients.
    now : float
        Seconds since the epoch.
    sleep : callable
        Waits so many seconds.

    Returns
    -------
    dict
        ``outcome`` (``started``, ``preparing``, ``running``, ``waiting`` or ``idle``), ``known`` (the
        cause had been taken before), ``run``, ``waiting``.

    Raises
    ------
    UnknownEventError
        No trigger of ours sends such an event.
    StateConflictError
        Others were quicker several times; the event has to come again.
    NotDeliveredError, ClientError, BotoCoreError
        Something could not be read, written, started or announced; the next look goes on from there.
    """
    signal = retrain_events.parse(event, now=now)
    for attempt in range(ATTEMPTS):
        try:
            return _once(setup, signal, clients, now)
        except StateConflictError:
            if attempt == ATTEMPTS - 1:
                raise
            sleep(PAUSE_SECONDS * random.uniform(1, 2) * 2**attempt)  # noqa: S311 (nothing to guess)
    raise AssertionError("the last attempt returns or raises")


def _once(setup: Setup, signal: retrain_events.Signal, clients: RetrainClients, now: float) -> dict[str, Any]:
    cause = signal if isinstance(signal, Cause) else None
    flow, known = Flow(setup=setup, clients=clients, now=now, fresh=cause), False
    state = flow.store.load()
    if cause is not None:  # first of all: what is written is not lost whatever fails below
        try:
            state = flow.store.take(state, cause)
        except KnownCauseError:
            flow, known = replace(flow, fresh=None), True
    state = flow.settle(state, signal if isinstance(signal, Ended) else None)
    before = state.run
    state = flow.proceed(state)
    claimed = before is None and state.run is not None
    if claimed:
        state = flow.settle(state, None)
    state = deliver(state, store=flow.store, bus=clients.bus)
    outcome = _outcome(state, claimed=claimed)
    print(line(_figures(state, taken=cause is not None and not known, claimed=claimed), name=setup.name, now=now))
    logger.info(outcome, extra={"known": known})
    name = None if state.run is None else state.run.name
    return {"outcome": outcome, "known": known, "run": name, "waiting": [one.text for one in state.waiting]}


def _outcome(state: State, *, claimed: bool) -> str:
    if state.run is not None:
        if not claimed:
            return "running"
        return "preparing" if state.run.dataset is None else "started"
    return "waiting" if state.waiting else "idle"


def _figures(state: State, *, taken: bool, claimed: bool) -> dict[str, float]:
    return {
        "CausesTaken": float(taken),
        "RunsClaimed": float(claimed),
        "CausesWaiting": float(len(state.waiting)),
        "Running": float(state.run is not None),
    }
