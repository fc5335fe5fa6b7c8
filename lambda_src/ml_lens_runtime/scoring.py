"""Scores a batch with one call; if the model stumbles over a reading, finds it by halving the batch."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ml_lens_runtime import endpoint
from ml_lens_runtime.clients import Clients
from ml_lens_runtime.env import Settings
from ml_lens_runtime.errors import ReadingError, RetryLaterError
from ml_lens_runtime.invocation import Invocation
from ml_lens_runtime.prediction import Prediction, iso
from ml_lens_runtime.tasks import Task

logger = logging.getLogger(__name__)

GIVE_UP_AFTER = 16  # single readings refused with none scored: the model is what is broken
ISOLATION_SHARE = 0.5  # halving stops when less than this share of the function's time is left


def score(tasks: Sequence[Task], *, settings: Settings, clients: Clients, invocation: Invocation) -> None:
    """Give every task a prediction, a fault or a cause to come again.

    A reading is at fault only if the model refuses it alone and scores another one of the batch. If nothing
    could be scored, all come again: the model, not a reading, is broken.
    """
    pending, suspects = [list(tasks)] if tasks else [], list[tuple[Task, ReadingError]]()
    while pending:
        part = pending.pop()
        try:
            _score_part(part, settings=settings, clients=clients, invocation=invocation)
        except ReadingError as fault:
            _halve(part, fault, pending=pending, suspects=suspects)
        except RetryLaterError as later:
            _return([*part, *_flat(pending)], later.cause)
            break
        if pending and not _worth_it(tasks, suspects, invocation):
            last = suspects[-1][1] if suspects else "no time left to isolate a reading"
            _return(_flat(pending), f"endpoint: {last}")
            break
    _judge(tasks, suspects)


def _score_part(part: list[Task], *, settings: Settings, clients: Clients, invocation: Invocation) -> None:
    rows = [task.values for task in part if task.values is not None]
    answer = endpoint.invoke(rows, settings=settings, clients=clients, meter=invocation.meter)
    scored_at = iso(invocation.now())
    names = [feature.name for feature in settings.features]
    for task, row, given in zip(part, rows, answer.scores, strict=True):
        task.prediction = Prediction(
            prediction_id=task.prediction_id,
            device_id=task.device_id,
            reading_id=task.reading_id,
            received_at=task.received_at,
            scored_at=scored_at,
            reading=task.content,
            features=dict(zip(names, row, strict=True)),
            score=given.score,
            threshold=given.threshold,
            anomaly=given.score > given.threshold,
            endpoint=settings.endpoint_name,
            variant=answer.variant,
            model_version=given.model_version,
            latency_ms=answer.latency_ms,
        )


def _halve(
    part: list[Task],
    fault: ReadingError,
    *,
    pending: list[list[Task]],
    suspects: list[tuple[Task, ReadingError]],
) -> None:
    if len(part) == 1:
        suspects.append((part[0], fault))
        return
    logger.warning("halving a batch", extra={"readings": len(part), "reason": fault.reason})
    middle = len(part) // 2
    pending.extend([part[middle:], part[:middle]])


def _worth_it(tasks: Sequence[Task], suspects: list[tuple[Task, ReadingError]], invocation: Invocation) -> bool:
    hopeless = len(suspects) >= GIVE_UP_AFTER and not _any_scored(tasks)
    return not hopeless and invocation.may_go_on(share=ISOLATION_SHARE)


def _judge(tasks: Sequence[Task], suspects: list[tuple[Task, ReadingError]]) -> None:
    guilty = _any_scored(tasks)
    for task, fault in suspects:
        if guilty:
            task.fault = fault
        else:
            task.cause = f"endpoint: {fault}"


def _any_scored(tasks: Sequence[Task]) -> bool:
    return any(task.prediction is not None for task in tasks)


def _flat(parts: list[list[Task]]) -> list[Task]:
    return [task for part in parts for task in part]


def _return(tasks: list[Task], cause: str) -> None:
    for task in tasks:
        task.cause = cause
