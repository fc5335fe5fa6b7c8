"""Scores readings: validate, score a batch with one call, log, act on anomalies, quarantine the rest."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Sequence
from typing import Any

from ml_lens_runtime import actions, deadletter, events, ledger, metrics, predictions, returns, scoring, tasks, windows
from ml_lens_runtime.batching import cut
from ml_lens_runtime.clients import Clients
from ml_lens_runtime.env import Settings
from ml_lens_runtime.invocation import Invocation
from ml_lens_runtime.tasks import Task

logger = logging.getLogger(__name__)

# Actions are most of the calls of a batch. What has none is settled before them, the others in small parts, so that a
# function that dies there repeats little of what it did.
ACTED_AT_ONCE = 10


@functools.cache
def _process() -> tuple[Settings, Clients]:
    """Parse the environment and prepare the clients once per process."""
    return Settings.parse(os.environ), Clients()


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    settings, clients = _process()
    return run(env=settings, event=event, clients=clients, invocation=Invocation.from_lambda(context))


def run(*, env: Settings, event: Any, clients: Clients, invocation: Invocation) -> dict[str, Any]:
    """Score one event; the same event a second time changes nothing.

    Parameters
    ----------
    env : Settings
        The parsed environment.
    event : Any
        A batch of SQS or Kinesis, or one reading.
    clients : Clients
        The AWS clients.
    invocation : Invocation
        Clock, time left and counts.

    Returns
    -------
    dict
        Lambda's partial batch response.

    Raises
    ------
    ScoringIncompleteError
        A direct event has to be retried.
    """
    meter = invocation.meter
    messages = events.parse(event, request_id=invocation.request_id)
    everything = tasks.group(messages, settings=env, now=invocation.now())
    ours = ledger.claim(everything, settings=env, clients=clients, invocation=invocation)
    _work(ours, settings=env, clients=clients, invocation=invocation)
    acting = actions.waiting(ours, settings=env)
    later = set(acting)
    _close([task for task in everything if task not in later], ours, env, clients, invocation)
    for part in cut(acting, most=ACTED_AT_ONCE, size=lambda _: 0, most_bytes=1):
        _act(part, settings=env, clients=clients, invocation=invocation)
        _close(part, part, env, clients, invocation)
    _count(everything, ours, received=len(messages), invocation=invocation)
    for line in metrics.lines(meter, rule=env.rule_name, now=invocation.now()):
        print(line)  # CloudWatch reads metrics from standard output
    logger.info("event handled", extra={"counts": dict(meter.counts)})
    return returns.answer(everything, settings=env, clients=clients)


def _work(ours: Sequence[Task], *, settings: Settings, clients: Clients, invocation: Invocation) -> None:
    """Do everything for the claimed tasks; a bug of ours sends them back instead of holding their leases."""
    try:
        fresh = [task for task in ours if task.fault is None and task.prediction is None]
        ready = windows.prepare(fresh, settings=settings, clients=clients, invocation=invocation)
        scoring.score(ready, settings=settings, clients=clients, invocation=invocation)
        predictions.write(ours, settings=settings, clients=clients, invocation=invocation)
        deadletter.quarantine(ours, settings=settings, clients=clients, invocation=invocation)
    except Exception as error:
        _unexpected(ours, error)


def _act(part: Sequence[Task], *, settings: Settings, clients: Clients, invocation: Invocation) -> None:
    """Act on some of the anomalies; a bug of ours sends back these alone."""
    try:
        actions.perform(part, settings=settings, clients=clients, invocation=invocation)
    except Exception as error:
        _unexpected(part, error)


def _unexpected(tasks: Sequence[Task], error: Exception) -> None:
    logger.exception("unexpected error")
    for task in tasks:
        task.cause = f"unexpected: {type(error).__name__}"


def _close(
    tasks: Sequence[Task], ours: Sequence[Task], settings: Settings, clients: Clients, invocation: Invocation
) -> None:
    """Dead-letter what has come too often, and note in the ledger how far ours came.

    What another delivery works on is not ours to give up.
    """
    tired = [task for task in tasks if task.cause is not None and task.cause != ledger.BUSY]
    exhausted = deadletter.exhaust(tired, settings=settings)
    deadletter.quarantine(exhausted, settings=settings, clients=clients, invocation=invocation)
    owned = set(ours)
    ledger.settle([task for task in tasks if task in owned], settings=settings, clients=clients, invocation=invocation)


def _count(everything: Sequence[Task], ours: Sequence[Task], *, received: int, invocation: Invocation) -> None:
    meter, owned = invocation.meter, set(ours)
    finished = [task for task in ours if task.cause is None and task.fault is None]
    silent = [task for task in everything if task not in owned and task.cause is None and not task.effects]
    meter.add("ReadingsReceived", received)
    meter.add("ReadingsScored", len(finished))
    meter.add("Anomalies", sum(task.prediction is not None and task.prediction.anomaly for task in finished))
    meter.add("ReadingsReturned", sum(len(task.messages) for task in everything if task.cause is not None))
    meter.add("Duplicates", sum(len(task.messages) - 1 for task in everything) + len(silent))
