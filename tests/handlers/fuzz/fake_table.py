"""An in-memory DynamoDB table for the A/B test's and retraining's handlers."""

# ruff: noqa: N803 (the argument names are boto3's)

from __future__ import annotations

import copy
from typing import Any

from tests.handlers.fakes import aws_error

NEW, SEEN = "attribute_not_exists(id)", "revision = :seen"


class FakeTable:
    """Get, conditional Put, the outcome's Update, transactions of Puts. No TTL, no pages, no index.

    Understands the conditions that those handlers use, and refuses any other.
    """

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}

    def get_item(self, *, Key: dict[str, Any], **_: Any) -> dict[str, Any]:
        found = self.items.get(Key["id"]["S"])
        return {} if found is None else {"Item": copy.deepcopy(found)}

    def put_item(self, **put: Any) -> dict[str, Any]:
        if not self._holds(put):
            known = self.items.get(put["Item"]["id"]["S"])
            raise aws_error("ConditionalCheckFailedException", **({} if known is None else {"Item": known}))
        self._keep(put["Item"])
        return {}

    def transact_write_items(self, *, TransactItems: list[dict[str, Any]]) -> dict[str, Any]:
        puts = [entry["Put"] for entry in TransactItems]
        reasons = [{"Code": "None" if self._holds(put) else "ConditionalCheckFailed"} for put in puts]
        if any(reason["Code"] != "None" for reason in reasons):
            raise aws_error("TransactionCanceledException", CancellationReasons=reasons)
        for put in puts:
            self._keep(put["Item"])
        return {}

    def get_paginator(self, operation: str) -> FakeTable:
        assert operation == "query"
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"Items": []}]

    def _keep(self, item: dict[str, Any]) -> None:
        for value in item.values():
            ((kind, content),) = value.items()
            if kind == "S":
                content.encode()  # DynamoDB takes UTF-8 only
        assert 0 < len(item["id"]["S"].encode()) <= 2048
        self.items[item["id"]["S"]] = copy.deepcopy(item)

    def _holds(self, put: dict[str, Any]) -> bool:
        item, condition = self.items.get(put["Item"]["id"]["S"]), put.get("ConditionExpression")
        if condition in (None, NEW):
            return condition is None or item is None
        name, _, value = condition.partition(" = ")
        assert value.startswith(":"), condition
        return item is not None and item.get(name) == put["ExpressionAttributeValues"][value]
