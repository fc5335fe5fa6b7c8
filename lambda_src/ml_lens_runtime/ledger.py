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
from ml_lens_runtime.prediction import Prediction
from ml_lens_runtime.tasks import Task

logger = logging.getLogger(__name__)

TRANSACTION_ITEMS = 100
TRANSACTION_BYTES = 3_500_000  # the service's limit is 4 MB
PREDICTION_BYTES = 300_000  # of an item of at most 400 KB; a larger prediction is scored again
ROUNDS = 4
PAUSE_SECONDS = 0.05
BUSY = "another delivery of this reading is being worked on"

Item = dict[str, dict[str, Any]]


def claim(tasks: Sequence[Task], *, settings: Settings, clients: Clients, invocation: Invocation) -> list[Task]:
    """Claim tasks with a lease and return those that are ours to work on.

    A task that is done stays without cause; one that another delivery works on, or that the ledger could not
    answer for, gets its cause to come again. What earlier deliveries reached is filled in.
    """
    ours: list[Task] = []
    for part in cut(tasks, most=TRANSACTION_ITEMS, size=_expected_bytes, most_bytes=TRANSACTION_BYTES):
        ours += _Claim(part, settings=settings, clients=clients, invocation=invocation).run()
    return ours


def settle(tasks: Sequence[Task], *, settings: Settings, clients: Clients, invocation: Invocation) -> None:
    """Mark finished tasks done, and release the others with the effects that they reached.

    A failure is logged only: the effects are done, and a message sent back now would only repeat them.
    """
    expires = int(invocation.now()) + settings.ledger_hours * 3600
    items = [_outcome(task, expires=expires) for task in tasks]
    for part in cut(items, most=TRANSACTION_ITEMS, size=_bytes, most_bytes=TRANSACTION_BYTES):
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
                return [_resumed(self.tasks[key], known) for key, known in self.pending.items()]
        return self._refused("ledger: TransactionConflict")

    def _puts(self) -> list[dict[str, Any]]:
        now = self.invocation.now()
        expires = int(now) + self.settings.ledger_hours * 3600
        return [
            {"Put": _claiming(key, known, lease=now + self.invocation.lease_seconds, expires=expires)
             | {"TableName": self.settings.ledger_table}}
            for key, known in self.pending.items()
        ]  # fmt: skip

    def _refused(self, cause: str) -> list[Task]:
        logger.error("ledger refused", extra={"cause": cause, "items": len(self.pending)})
        for key in self.pending:
            self.tasks[key].cause = cause
        return []

    def _sort(self, reasons: list[Any]) -> None:
        now, conflict = self.invocation.now(), False
        for (key, _), reason in zip(list(self.pending.items()), reasons, strict=True):
            if reason["Code"] == "ConditionalCheckFailed":
                self._seen(key, reason.get("Item"), now=now)
            elif reason["Code"] != "None":
                conflict = True
        if conflict:
            self.invocation.sleep(PAUSE_SECONDS)

    def _seen(self, key: str, item: Item | None, *, now: float) -> None:
        self.pending[key] = item
        if item is None:  # forgotten in between: claim it as new
            return
        lease = float(item["lease_until"]["N"])
        if item["state"]["S"] == "done":
            del self.pending[key]  # no cause: finished
        elif lease > now:
            del self.pending[key]
            self.tasks[key].cause, self.tasks[key].wait = BUSY, lease - now + 1


def _reasons(error: Exception) -> list[Any]:
    """Return why each item of a transaction was refused; nothing for any other error."""
    if not isinstance(error, ClientError):
        return []
    reasons = error.response.get("CancellationReasons", [])
    return list(reasons)


def _claiming(key: str, known: Item | None, *, lease: float, expires: int) -> dict[str, Any]:
    """Return a put that succeeds only if the item is still as it was seen."""
    item: Item = {} if known is None else dict(known)
    item |= {
        "id": {"S": key},
        "state": {"S": "claimed"},
        "lease_until": {"N": f"{lease:.3f}"},
        "expires_at": {"N": str(expires)},
        "attempts": {"N": str(_attempts(known) + 1)},
    }
    put: dict[str, Any] = {"Item": item, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    if known is None:
        return put | {"ConditionExpression": "attribute_not_exists(id)"}
    return put | {
        "ConditionExpression": "#state = :claimed AND lease_until = :seen",
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": {":claimed": {"S": "claimed"}, ":seen": known["lease_until"]},
    }


def _resumed(task: Task, known: Item | None) -> Task:
    if known is not None:
        task.effects = {entry["S"] for entry in known.get("effects", {}).get("L", [])}
        task.earlier = _attempts(known)
        if "prediction" in known:
            task.prediction = Prediction.restore(known["prediction"]["S"])
    return task


def _attempts(known: Item | None) -> int:
    return 0 if known is None else int(known.get("attempts", {"N": "0"})["N"])


def _outcome(task: Task, *, expires: int) -> Item:
    item: Item = {
        "id": {"S": task.key},
        "state": {"S": "done" if task.cause is None else "claimed"},
        "lease_until": {"N": "0"},
        "expires_at": {"N": str(expires)},
        "effects": {"L": [{"S": name} for name in sorted(task.effects)]},
    }
    if task.cause is not None:
        item["attempts"] = {"N": str(task.attempts)}
        line = "" if task.prediction is None else task.prediction.line()
        if task.effects and 0 < len(line) <= PREDICTION_BYTES:
            item["prediction"] = {"S": line}
    return item


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


def _bytes(item: Item) -> int:
    return 200 + len(item["id"]["S"]) + len(item.get("prediction", {}).get("S", ""))


def _expected_bytes(task: Task) -> int:
    """Return about what an item may hold that comes with the prediction of an earlier delivery."""
    return 1000 + 2 * len(task.raw)
