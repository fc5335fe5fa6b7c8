"""An in-memory stand-in for the window table of the scorer."""

# ruff: noqa: N803 (the argument names are boto3's)

from __future__ import annotations

import threading
from typing import Any

from tests.handlers.fakes import aws_error


class FakeWindowTable:
    """DynamoDB as the window store uses it: one conditional PutItem, one Query. No pages, no TTL, no capacity."""

    def __init__(self) -> None:
        self.items: dict[str, dict[int, dict[str, Any]]] = {}
        self._lock = threading.Lock()

    def put_item(self, *, Item: dict[str, Any], ExpressionAttributeValues: dict[str, Any], **_: Any) -> dict[str, Any]:
        at, name = int(ExpressionAttributeValues[":at"]["N"]), ExpressionAttributeValues[":id"]["S"]
        with self._lock:
            device = self.items.setdefault(Item["device_id"]["S"], {})
            known = device.get(int(Item["event_time"]["N"]))
            if known is not None and (int(known["received_at"]["N"]), known["reading_id"]["S"]) < (at, name):
                raise aws_error("ConditionalCheckFailedException")
            device[int(Item["event_time"]["N"])] = Item
        return {}

    def query(self, *, ExpressionAttributeValues: dict[str, Any], **_: Any) -> dict[str, Any]:
        first, last = (int(ExpressionAttributeValues[name]["N"]) for name in (":first", ":last"))
        with self._lock:
            device = dict(self.items.get(ExpressionAttributeValues[":device"]["S"], {}))
        return {"Items": [device[at] for at in sorted(device) if first <= at <= last]}
