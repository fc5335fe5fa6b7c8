"""Handing unfinished messages back: partial failures, with a growing and jittered pause for the queue."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from typing import Any

from ml_lens_runtime import aws_errors
from ml_lens_runtime.batching import cut
from ml_lens_runtime.clients import Clients
from ml_lens_runtime.env import Settings
from ml_lens_runtime.errors import ScoringIncompleteError
from ml_lens_runtime.events import Message
from ml_lens_runtime.tasks import Task

logger = logging.getLogger(__name__)

BASE_SECONDS = 2
MOST_SECONDS = 300
_BATCH = 10


def answer(tasks: Sequence[Task], *, settings: Settings, clients: Clients) -> dict[str, Any]:
    """Return Lambda's partial batch response; messages of SQS get their pause first.

    Kinesis takes the lowest sequence number and delivers from there on; what was done after it is then a
    duplicate.

    Raises
    ------
    ScoringIncompleteError
        A direct event is unfinished; Lambda retries it and then uses the failure destination.
    """
    open_tasks = [task for task in tasks if task.cause is not None]
    unfinished = [(task, message) for task in open_tasks for message in task.messages]
    if any(message.source == "direct" for _, message in unfinished):
        raise ScoringIncompleteError(open_tasks[0].cause)
    queued = [(task, message) for task, message in unfinished if message.source == "sqs"]
    if queued and settings.source_queue_url is not None:
        _postpone(queued, url=settings.source_queue_url, clients=clients)
    return {"batchItemFailures": [{"itemIdentifier": message.id} for message in _ordered(unfinished)]}


def backoff(message_id: str, attempts: int) -> int:
    """Return the pause in whole seconds: 2, 4, 8, … 300, each cut by up to half.

    The cut comes from the message id and the attempt: messages that failed together spread, a test is exact.
    """
    full = min(BASE_SECONDS << min(attempts - 1, 20), MOST_SECONDS)
    digest = hashlib.sha256(f"{message_id}/{attempts}".encode()).digest()
    return max(1, round(full * (0.5 + digest[0] / 510)))


def _ordered(unfinished: list[tuple[Task, Message]]) -> list[Message]:
    messages = [message for _, message in unfinished]
    if messages and messages[0].source == "kinesis":
        return [min(messages, key=lambda message: int(message.id))]
    return messages


def _postpone(queued: list[tuple[Task, Message]], *, url: str, clients: Clients) -> None:
    for part in cut(queued, most=_BATCH, size=lambda _: 0, most_bytes=1):
        entries = [
            {"Id": str(index), "ReceiptHandle": message.receipt, "VisibilityTimeout": _pause(task, message)}
            for index, (task, message) in enumerate(part)
        ]
        try:
            given = clients.queue.change_message_visibility_batch(QueueUrl=url, Entries=entries)
            failed = [entry.get("Code", "Unknown") for entry in given.get("Failed", [])]
        except aws_errors.AWS_ERRORS as error:
            failed = [aws_errors.code(error)]
        if failed:  # harmless: they come back after the queue's own visibility timeout
            counts = {"messages": len(part), "failed": len(failed)}
            logger.warning("pause not set", extra={**counts, "error_code": failed[0]})


def _pause(task: Task, message: Message) -> int:
    return backoff(message.id, message.attempts) if task.wait is None else max(1, round(task.wait))
