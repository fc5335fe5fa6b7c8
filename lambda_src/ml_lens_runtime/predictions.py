"""The prediction log: every result as one line of JSON to Firehose, in as few calls as its limits allow."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ml_lens_runtime import aws_errors
from ml_lens_runtime.batching import cut
from ml_lens_runtime.clients import Clients
from ml_lens_runtime.env import Settings
from ml_lens_runtime.invocation import Invocation
from ml_lens_runtime.tasks import Task

logger = logging.getLogger(__name__)

EFFECT = "log"
BATCH_RECORDS = 500
BATCH_BYTES = 4_000_000  # the service's limit is 4 MiB
TRIES = 3
PAUSE_SECONDS = 0.1

Entry = tuple[Task, bytes]


def write(tasks: Sequence[Task], *, settings: Settings, clients: Clients, invocation: Invocation) -> None:
    """Log every task that has a prediction, once; one that Firehose did not take comes again."""
    if settings.prediction_stream is None:
        return
    entries = [
        (task, f"{task.prediction.line()}\n".encode("ascii"))
        for task in tasks
        if task.prediction is not None and EFFECT not in task.effects
    ]
    for part in cut(entries, most=BATCH_RECORDS, size=lambda entry: len(entry[1]), most_bytes=BATCH_BYTES):
        _put(part, stream=settings.prediction_stream, clients=clients, invocation=invocation)


def _put(part: list[Entry], *, stream: str, clients: Clients, invocation: Invocation) -> None:
    left, code = part, "Unknown"
    for attempt in range(TRIES):
        if attempt:
            invocation.sleep(PAUSE_SECONDS * 2**attempt)
        try:
            left, code = _once(left, stream=stream, clients=clients)
        except aws_errors.AWS_ERRORS as error:
            code = aws_errors.code(error)
            break
        if not left:
            return
    logger.error("prediction log refused", extra={"error_code": code, "records": len(left)})
    for task, _ in left:
        task.cause = f"prediction log: {code}"


def _once(part: list[Entry], *, stream: str, clients: Clients) -> tuple[list[Entry], str]:
    """Put records, note those that were taken, and return the others with the last error code."""
    answer = clients.log.put_record_batch(DeliveryStreamName=stream, Records=[{"Data": data} for _, data in part])
    left: list[Entry] = []
    code = "Unknown"
    for entry, given in zip(part, answer["RequestResponses"], strict=True):
        if given.get("ErrorCode"):
            left.append(entry)
            code = given["ErrorCode"]
        else:
            entry[0].effects.add(EFFECT)
    return left, code
