"""The A/B test's records in DynamoDB: who takes part since when, and which inference was whose; every write once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ml_lens_runtime.ab_plan import Plan

SHARDS = 16  # of a cohort in the index: one key takes 1,000 writes a second
USER_DAYS = 180  # a test that runs longer would count a returning user twice
INFERENCE_DAYS = 7  # after the window: how long an outcome is recognised as late, not as unknown
PAUSE_SECONDS = 0.05
_DAY = 86_400

Item = dict[str, dict[str, Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Enrolment:
    """A user's part in the test: the side, and from when on their outcomes count."""

    user: str
    treated: bool
    enrolled_at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Inference:
    """One assignment: whose it was, which side served it, and the outcome if there is one."""

    id: str
    user: str
    treated: bool
    enrolled_at: float
    outcome: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Journal:
    """Reads and writes the records of one test."""

    plan: Plan
    table: str
    client: Any
    sleep: Callable[[float], None] = time.sleep

    def enrol(self, wanted: Enrolment) -> Enrolment:
        """Enrol a user, or return the enrolment that is there already."""
        cohort = f"{self.plan.cohort(wanted.enrolled_at)}#{int(wanted.user[:8], 16) % SHARDS}"
        item: Item = {
            "id": {"S": f"user#{wanted.user}"},
            "cohort": {"S": cohort},
            "treated": {"BOOL": wanted.treated},
            "enrolled_at": number(wanted.enrolled_at),
            "expires_at": number(int(wanted.enrolled_at) + self.plan.window_seconds + USER_DAYS * _DAY),
        }
        known = self._put_new(item)
        if known is None:
            return wanted
        return Enrolment(
            user=wanted.user, treated=known["treated"]["BOOL"], enrolled_at=float(known["enrolled_at"]["N"])
        )

    def open(self, wanted: Inference, *, now: float) -> Inference:
        """Record an inference, or return the one that has this id already."""
        item: Item = {
            "id": {"S": f"inference#{wanted.id}"},
            "user": {"S": wanted.user},
            "treated": {"BOOL": wanted.treated},
            "enrolled_at": number(wanted.enrolled_at),
            "expires_at": number(int(now) + self.plan.window_seconds + INFERENCE_DAYS * _DAY),
        }
        known = self._put_new(item)
        return wanted if known is None else _inference(wanted.id, known)

    def find(self, inference_id: str) -> Inference | None:
        """Return an inference, None if it was never assigned or is forgotten."""
        key = {"id": {"S": f"inference#{inference_id}"}}
        item = self.client.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item")
        return None if item is None else _inference(inference_id, item)

    def count(self, inference: Inference, value: float) -> bool:
        """Write an outcome on its inference and add it to its user, both or none; False if there is one already."""
        add: dict[str, Any] = {
            "TableName": self.table,
            "Key": {"id": {"S": f"user#{inference.user}"}},
            "UpdateExpression": "ADD outcomes :one, wins :win, amount :value",
            "ConditionExpression": "attribute_exists(id)",
            "ExpressionAttributeValues": {
                ":one": number(1),
                ":win": number(1 if value > 0 else 0),
                ":value": number(value),
            },
        }
        return self._write([{"Update": self._outcome(inference, value, "counted")}, {"Update": add}])

    def note_late(self, inference: Inference, value: float) -> bool:
        """Write an outcome on its inference only, as late; False if there is one already."""
        try:
            self.client.update_item(**self._outcome(inference, value, "late"))
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def is_apart(self, mark: str) -> bool:
        """Tell whether a message has been put into the dead-letter queue before."""
        key = {"id": {"S": f"apart#{mark}"}}
        return "Item" in self.client.get_item(TableName=self.table, Key=key, ConsistentRead=True)

    def mark_apart(self, mark: str, *, now: float) -> None:
        """Remember that a message is in the dead-letter queue, for as long as it can be there."""
        self._put_new({"id": {"S": f"apart#{mark}"}, "expires_at": number(int(now) + 14 * _DAY)})

    def _outcome(self, inference: Inference, value: float, state: str) -> dict[str, Any]:
        return {
            "TableName": self.table,
            "Key": {"id": {"S": f"inference#{inference.id}"}},
            "UpdateExpression": "SET outcome = :outcome, outcome_state = :state",
            "ConditionExpression": "attribute_exists(id) AND attribute_not_exists(outcome)",
            "ExpressionAttributeValues": {":outcome": number(value), ":state": {"S": state}},
        }

    def _write(self, both: list[dict[str, Any]]) -> bool:
        """Write in one transaction; False if the first condition fails. A user's own outcomes may collide: wait."""
        for last in (False, False, True):
            try:
                self.client.transact_write_items(TransactItems=both)
            except ClientError as error:
                reasons: Any = error.response.get("CancellationReasons", [])
                codes = [reason.get("Code") for reason in reasons]
                if codes[:1] == ["ConditionalCheckFailed"]:
                    return False
                if last or "TransactionConflict" not in codes:
                    raise
                self.sleep(PAUSE_SECONDS)
            else:
                break
        return True

    def _put_new(self, item: Item) -> Item | None:
        """Put an item whose id is new; otherwise return the one that has the id."""
        try:
            self.client.put_item(
                TableName=self.table,
                Item=item,
                ConditionExpression="attribute_not_exists(id)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            found: Item = error.response["Item"]  # type: ignore[typeddict-item]
            return found
        return None


def number(value: float) -> dict[str, Any]:
    """Return DynamoDB's form of a finite number; a float's digits survive exactly."""
    return {"N": repr(value)}


def _inference(id: str, item: Item) -> Inference:
    outcome = item.get("outcome")
    return Inference(
        id=id,
        user=item["user"]["S"],
        treated=item["treated"]["BOOL"],
        enrolled_at=float(item["enrolled_at"]["N"]),
        outcome=None if outcome is None else float(outcome["N"]),
    )
