"""The items of the ledger: how a claim is written, what a later delivery reads back, how it ends."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ml_lens_runtime.prediction import Prediction
from ml_lens_runtime.tasks import Task

PREDICTION_BYTES = 300_000  # of an item of at most 400 KB; a larger prediction is scored again

Item = dict[str, dict[str, Any]]


def claiming(task: Task, known: Item | None, *, lease: float, expires: int) -> dict[str, Any]:
    """Return a put that succeeds only if the item is still as it was seen.

    Parameters
    ----------
    known : dict or None
        The item as it was seen; None means that there was none.
    lease, expires : float, int
        Seconds since the epoch: until when the claim holds, when the item may be forgotten.
    """
    item: Item = {} if known is None else dict(known)
    item |= {
        "id": {"S": task.key},
        "state": {"S": "claimed"},
        "holder": {"S": task.messages[0].id},
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


def resume(task: Task, known: Item | None) -> Task:
    """Fill in what earlier deliveries reached; a prediction of another version of this code is scored again."""
    if known is not None:
        task.effects = {entry["S"] for entry in known.get("effects", {}).get("L", [])}
        task.earlier = _attempts(known)
        with suppress(KeyError, TypeError, ValueError):
            task.prediction = Prediction.restore(known["prediction"]["S"])
    return task


def may_take_over(task: Task, item: Item, *, now: float) -> bool:
    """Tell whether nobody can be at work on a claimed item any more.

    Its lease has ended; or the holder was this very record of a stream, which is never delivered twice at a time,
    so that the earlier delivery must have died.
    """
    if float(item["lease_until"]["N"]) <= now:
        return True
    first = task.messages[0]
    return first.source == "kinesis" and item.get("holder", {}).get("S") == first.id


def _attempts(known: Item | None) -> int:
    return 0 if known is None else int(known.get("attempts", {"N": "0"})["N"])


def outcome(task: Task, *, expires: int) -> Item:
    """Return the item of a finished task, or of one that comes again with the effects that it reached."""
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


def size(item: Item) -> int:
    """Return about the bytes of an item."""
    return 200 + len(item["id"]["S"]) + len(item.get("prediction", {}).get("S", ""))


def expected_size(task: Task) -> int:
    """Return about what an item may hold that comes with the prediction of an earlier delivery."""
    return 1000 + 2 * len(task.raw)
