"""The idempotency ledger in DynamoDB: who works on a reading, which effects are done, when to forget it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from ml_lens_runtime import aws_errors
from ml_lens_runtime.batching import cut
from ml_lens_runtime.clients import Clients
from ml_lens_runtime.env import Settings
from ml_lens_runtime.invocation import Invocation
from ml_lens_runtime.ledger_items import Item, claiming, expected_size, may_take_over, outcome, resume, size
from ml_lens_runtime.tasks import Task

logger = logging.getLogger(__name__)

TRANSACTION_ITEMS = 100
TRANSACTION_BYTES = 3_500_000  # the service's limit is 4 MB
ROUNDS = 4
PAUSE_SECONDS = 0.05
BUSY = "another delivery of this reading is being worked on"


def claim(tasks: Sequence[Task], *, settings: Settings, clients: Clients, invocation: Invocation) -> list[Task]:
    """Claim tasks with a lease and return those that are ours to work on.

    A task that is done stays without cause; one that another delivery works on, or that the ledger could not
    answer for, gets its cause to come again. What earlier deliveries reached is filled in.
    """
    ours: list[Task] = []
    for part in cut(tasks, most=TRANSACTION_ITEMS, size=expected_size, most_bytes=TRANSACTION_BYTES):
        ours += _Claim(part, settings=settings, clients=clients, invocation=invocation).run()
    return ours


def settle(tasks: Sequence[Task], *, settings: Settings, clients: Clients, invocation: Invocation) -> None:
    """Mark finished tasks done, and release the others with the effects that they reached.

    A failure is logged only: the effects are done, and a message sent back now would only repeat them.
    """
    expires = int(invocation.now()) + settings.ledger_hours * 3600
    items = [outcome(task, expires=expires) for task in tasks]
    for part in cut(items, most=TRANSACTION_ITEMS, size=size, most_bytes=TRANSACTION_BYTES):
        puts = [{"Put": {"TableName": settings.ledger_table, "Item": item}} for item in part]
        try:
            _write(puts, clients=clients, invocation=invocation)
        except aws_errors.AWS_ERRORS as error:
            code = aws_errors.code(error)
            logger.error("ledger not settled", extra={"error_code": code, "items": len(part)})


class _Claim:
    """The rounds of one transaction: what is refused is sorted out, the rest is tried again."""

    def __init__(self, tasks: list[Task], *, settings: Settings, clients: Clients, invocation: Invocation) -> None:
        self.pending: dict[str, Item | None] = {task.key: None for task in tasks}
        self.tasks = {task.key: task for task in tasks}
        self.settings, self.clients, self.invocation = settings, clients, invocation
        self.refusal = "changed too often while it was claimed"

    def run(self) -> list[Task]:
        for _ in range(ROUNDS):
            if not self.pending:
                return []
            try:
                self.clients.ledger.transact_write_items(TransactItems=self._puts())
            except aws_errors.AWS_ERRORS as error:
                reasons = _reasons(error)
                if len(reasons) != len(self.pending):
                    return self._refused(aws_errors.cause(error, where="ledger"))
                self._sort(reasons)
            else:
                return [resume(self.tasks[key], known) for key, known in self.pending.items()]
        return self._refused(f"ledger: {self.refusal}")

    def _puts(self) -> list[dict[str, Any]]:
        now = self.invocation.now()
        lease, expires = now + self.invocation.lease_seconds, int(now) + self.settings.ledger_hours * 3600
        table = self.settings.ledger_table
        return [
            {"Put": {"TableName": table, **claiming(self.tasks[key], known, lease=lease, expires=expires)}}
            for key, known in self.pending.items()
        ]

    def _refused(self, cause: str) -> list[Task]:
        logger.error("ledger refused", extra={"cause": cause, "items": len(self.pending)})
        for key in self.pending:
            self.tasks[key].cause = cause
        return []

    def _sort(self, reasons: list[Any]) -> None:
        now, pause = self.invocation.now(), 0.0
        for (key, _), reason in zip(list(self.pending.items()), reasons, strict=True):
            if reason["Code"] == "ConditionalCheckFailed":
                self._seen(key, reason.get("Item"), now=now)
            elif reason["Code"] != "None":
                self.refusal, pause = reason["Code"], PAUSE_SECONDS
        self.invocation.sleep(pause)

    def _seen(self, key: str, item: Item | None, *, now: float) -> None:
        self.pending[key] = item
        if item is None:  # forgotten in between: claim it as new
            return
        task = self.tasks[key]
        if item["state"]["S"] == "done":
            del self.pending[key]  # no cause: finished
        elif not may_take_over(task, item, now=now):
            del self.pending[key]
            task.cause, task.wait = BUSY, float(item["lease_until"]["N"]) - now + 1


def _reasons(error: Exception) -> list[Any]:
    """Return why each item of a transaction was refused; nothing for any other error."""
    if not isinstance(error, ClientError):
        return []
    reasons = error.response.get("CancellationReasons", [])
    return list(reasons)


def _write(puts: list[dict[str, Any]], *, clients: Clients, invocation: Invocation) -> None:
    for last in (False, False, True):
        try:
            clients.ledger.transact_write_items(TransactItems=puts)
        except ClientError as error:
            if last or "CancellationReasons" not in error.response:
                raise
            invocation.sleep(PAUSE_SECONDS)
        else:
            return
