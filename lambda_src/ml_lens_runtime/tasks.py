"""The work of one invocation: messages that carry the same reading become one task, with its progress."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ml_lens_runtime import readings, sensor_readings
from ml_lens_runtime.env import Settings
from ml_lens_runtime.errors import ReadingError
from ml_lens_runtime.events import Message
from ml_lens_runtime.prediction import Prediction
from ml_lens_runtime.rule_record import open_record
from ml_lens_runtime.window_features import Reading


@dataclass(slots=True, kw_only=True, eq=False)
class Task:
    """One reading on its way; the only object of a run that changes.

    Attributes
    ----------
    key : str
        Ledger key: prediction id and a hash of the payload, so that another reading under a used id is no
        duplicate.
    messages : list of Message
        Every message of the batch that carries it; more than one are duplicates.
    content, values
        The reading and its features; None where a fault was found before, or where the features are yet to be
        computed from a window.
    observed : Reading or None
        What goes into the window of the device; None without windows.
    fault : ReadingError or None
        Why it has to be quarantined.
    effects : set of str
        Names of the effects that are done, of earlier deliveries too.
    earlier : int
        Deliveries that failed before, by the ledger.
    prediction : Prediction or None
        Its score, of this or an earlier delivery.
    cause : str or None
        Why it has to come again; None means finished.
    wait : float or None
        Seconds until it should come again; None means by backoff.
    """

    key: str
    prediction_id: str
    messages: list[Message]
    device_id: str
    reading_id: str | None
    received_at: int
    raw: bytes
    trace_id: str = ""
    content: dict[str, Any] | None = None
    values: tuple[float, ...] | None = None
    observed: Reading | None = None
    fault: ReadingError | None = None
    effects: set[str] = field(default_factory=set)
    earlier: int = 0
    prediction: Prediction | None = None
    cause: str | None = None
    wait: float | None = None

    @property
    def name(self) -> str:
        """The device's own id of the reading, or else the id that its message was traced by."""
        return self.trace_id if self.reading_id is None else self.reading_id

    @property
    def attempts(self) -> int:
        """Deliveries so far, this one included."""
        return max(self.earlier + 1, *(message.attempts for message in self.messages))


def group(messages: Sequence[Message], *, settings: Settings, now: float) -> list[Task]:
    """Look into every message and join those that carry the same reading; the order stays."""
    tasks: dict[str, Task] = {}
    for message in messages:
        task = _task(message, settings=settings, now=now)
        known = tasks.setdefault(task.key, task)
        if known is not task:
            known.messages.append(message)
    return list(tasks.values())


def _task(message: Message, *, settings: Settings, now: float) -> Task:
    record = open_record(message)
    task = Task(
        key="",
        prediction_id="",
        messages=[message],
        device_id=record.device_id,
        reading_id=None,
        received_at=record.received_at if record.received_at > 0 else int(now * 1000),
        raw=record.raw,
        trace_id=record.trace_id,
    )
    try:
        task.content = readings.decode(record, settings=settings)
        task.reading_id = readings.reading_id(task.content)
        _take_values(task, task.content, settings=settings)
    except ReadingError as found:
        task.fault = found
    task.prediction_id = f"{record.device_id}#{task.name}"
    digest = hashlib.sha256(record.identity + record.again.encode()).hexdigest()[:16]
    task.key = f"{task.prediction_id}#{digest}"
    return task


def _take_values(task: Task, content: dict[str, Any], *, settings: Settings) -> None:
    """Read the model's input off the reading, or what its window needs."""
    if settings.windows is None:
        task.values = readings.values(content, settings=settings)
        return
    task.observed = sensor_readings.observe(
        content,
        device_id=task.device_id,
        reading_id=task.name,
        received_at=task.received_at,
        definition=settings.windows.definition,
    )
