"""Retraining's records in DynamoDB: the state, never overwritten blindly, and the causes that were taken."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from ml_lens_runtime.retrain_state import Cause, State

KEY = {"id": {"S": "retraining"}}
CAUSE_DAYS = 30  # how long a cause is recognised; event buses retry for a day, people look back for weeks
_DAY = 86_400


class StateConflictError(Exception):
    """Somebody else changed the state in between; what was worked out from the older one is void."""


class KnownCauseError(Exception):
    """This cause was taken before."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StateStore:
    """Reads and writes the state in DynamoDB, never over somebody else's write."""

    table: str
    client: Any

    def load(self) -> State:
        """Return the state; that of a retraining which never met a cause is empty."""
        item = self.client.get_item(TableName=self.table, Key=KEY, ConsistentRead=True).get("Item")
        return State() if item is None else State.from_json(item["state"]["S"])

    def save(self, state: State) -> State:
        """Write the successor of a state.

        Raises
        ------
        StateConflictError
            The stored revision is not the one that `state` was made from.
        """
        written = replace(state, revision=state.revision + 1)
        try:
            self.client.put_item(**self._put(written))
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                raise StateConflictError from error
            raise
        return written

    def take(self, state: State, cause: Cause) -> State:
        """Write that a cause waits, and that it is known: both or none.

        Raises
        ------
        KnownCauseError
            It was taken before.
        StateConflictError
            The stored revision is not the one that `state` was made from.
        """
        written = replace(state.with_waiting(cause), revision=state.revision + 1)
        digest = hashlib.sha256(cause.id.encode("utf-8", "surrogatepass")).hexdigest()
        item = {
            "id": {"S": f"cause#{digest}"},
            "text": {"S": cause.text.encode("utf-8", "replace").decode()},
            "expires_at": {"N": str(int(cause.at) + CAUSE_DAYS * _DAY)},
        }
        known = {"TableName": self.table, "Item": item, "ConditionExpression": "attribute_not_exists(id)"}
        try:
            self.client.transact_write_items(TransactItems=[{"Put": known}, {"Put": self._put(written)}])
        except ClientError as error:
            raise _refusal(error) from error
        return written

    def _put(self, written: State) -> dict[str, Any]:
        first = written.revision == 1
        values = {} if first else {"ExpressionAttributeValues": {":seen": {"N": str(written.revision - 1)}}}
        return {
            "TableName": self.table,
            "Item": {**KEY, "revision": {"N": str(written.revision)}, "state": {"S": written.to_json()}},
            "ConditionExpression": "attribute_not_exists(id)" if first else "revision = :seen",
            **values,
        }


def _refusal(error: ClientError) -> Exception:
    """Return what a refused transaction means: the cause is known, the state moved, or a fault of AWS."""
    reasons: Any = error.response.get("CancellationReasons", [])
    codes = [reason.get("Code") for reason in reasons]
    if codes[:1] == ["ConditionalCheckFailed"]:
        return KnownCauseError()
    if "ConditionalCheckFailed" in codes or "TransactionConflict" in codes:
        return StateConflictError()
    return error
