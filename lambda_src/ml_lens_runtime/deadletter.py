"""The dead-letter queue: what can't be scored goes there whole, with its reason."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
from collections.abc import Sequence
from typing import Any

from ml_lens_runtime import aws_errors
from ml_lens_runtime.batching import cut
from ml_lens_runtime.clients import Clients
from ml_lens_runtime.env import Settings
from ml_lens_runtime.errors import ReadingError
from ml_lens_runtime.invocation import Invocation
from ml_lens_runtime.tasks import Task

logger = logging.getLogger(__name__)

EFFECT = "dead_letter"
BATCH_MESSAGES = 10
# SQS takes 1 MiB since 2025; its older limit of 256 KiB is kept, for queues and tools that still have it.
BATCH_BYTES = 256 * 1024 - 1024
PAYLOAD_BYTES = 240 * 1024  # of the encoded payload in an envelope, which leaves 16 KiB for the rest


def quarantine(tasks: Sequence[Task], *, settings: Settings, clients: Clients, invocation: Invocation) -> None:
    """Send every task with a fault to the dead-letter queue, once; one that could not be sent comes again."""
    faulty = [task for task in tasks if task.fault is not None and EFFECT not in task.effects]
    entries = [(task, json.dumps(envelope(task))) for task in faulty]
    for part in cut(entries, most=BATCH_MESSAGES, size=lambda entry: len(entry[1]), most_bytes=BATCH_BYTES):
        try:
            failed = _send(part, settings=settings, clients=clients)
        except aws_errors.AWS_ERRORS as error:
            code = aws_errors.code(error)
            logger.error("dead-letter queue refused", extra={"error_code": code, "messages": len(part)})
            failed = {str(index): code for index in range(len(part))}
        for index, (task, _) in enumerate(part):
            _note(task, failed.get(str(index)), invocation=invocation)


def exhaust(tasks: Sequence[Task], *, settings: Settings) -> list[Task]:
    """Return those of the unfinished tasks that must not come again, as faults with their last cause."""
    exhausted = [task for task in tasks if task.cause is not None and task.attempts >= settings.max_attempts]
    for task in exhausted:
        if task.fault is None:
            task.fault = ReadingError("attempts_exhausted", str(task.cause))
        task.cause = None
    return exhausted


def envelope(task: Task) -> dict[str, Any]:
    """Return the document that is queued; its payload is whole, or cut and flagged with its size and hash."""
    fault = task.fault
    first = task.messages[0]
    return {
        "reason": None if fault is None else fault.reason,
        "detail": None if fault is None else fault.detail,
        "device_id": task.device_id,
        "reading_id": task.reading_id,
        "received_at": task.received_at,
        "trace_id": task.trace_id,
        "message_id": first.id,
        "attempts": task.attempts,
        **_payload(task.raw),
    }


def _payload(raw: bytes) -> dict[str, Any]:
    text = _text(raw)
    if text is not None:
        return {"payload": text, "payload_base64": None}
    encoded = base64.b64encode(raw).decode("ascii")
    if len(encoded) <= PAYLOAD_BYTES:
        return {"payload": None, "payload_base64": encoded}
    return {
        "payload": None,
        "payload_base64": encoded[: PAYLOAD_BYTES // 4 * 4],
        "payload_truncated": True,
        "payload_bytes": len(raw),
        "payload_sha256": hashlib.sha256(raw).hexdigest(),
    }


def _text(raw: bytes) -> str | None:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if len(raw) <= PAYLOAD_BYTES and len(json.dumps(text)) <= PAYLOAD_BYTES else None


def _send(part: list[tuple[Task, str]], *, settings: Settings, clients: Clients) -> dict[str, str]:
    entries = [
        {"Id": str(index), "MessageBody": body, "MessageAttributes": {"reason": _attribute(task)}}
        for index, (task, body) in enumerate(part)
    ]
    answer = clients.queue.send_message_batch(QueueUrl=settings.dead_letter_queue_url, Entries=entries)
    return {entry["Id"]: entry.get("Code", "Unknown") for entry in answer.get("Failed", [])}


def _attribute(task: Task) -> dict[str, str]:
    reason = "unknown" if task.fault is None else task.fault.reason
    return {"DataType": "String", "StringValue": reason}


def _note(task: Task, failed: str | None, *, invocation: Invocation) -> None:
    if failed is not None:
        task.cause = f"dead-letter queue: {failed}"
        return
    task.effects.add(EFFECT)
    task.cause = None
    invocation.meter.add("ReadingsQuarantined")
    reason = None if task.fault is None else task.fault.reason
    logger.warning("reading quarantined", extra={"reason": reason, "device_id": task.device_id})
