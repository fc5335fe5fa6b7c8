"""The ways in which readings arrive (SQS batch, Kinesis batch, direct event), as one list of messages."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

Source = Literal["sqs", "kinesis", "direct"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One delivered message, not yet looked into.

    Attributes
    ----------
    id : str
        What a partial failure names: SQS message id, Kinesis sequence number, or a direct event's request id.
    body : bytes or dict
        The output of the IoT rule: raw bytes, or the decoded object of a direct event.
    attempts : int
        How often the source says it was delivered, this time included; 1 where the source does not say.
    received_at : int
        Milliseconds since the epoch by the source; 0 where the source does not say.
    receipt : str or None
        Receipt handle, SQS only.
    """

    id: str
    body: bytes | dict[str, Any]
    attempts: int
    received_at: int
    source: Source
    receipt: str | None = None


def parse(event: Any, *, request_id: str) -> list[Message]:
    """Return the messages of a Lambda event in their order.

    Parameters
    ----------
    event : Any
        What Lambda handed over.
    request_id : str
        Id of the invocation, the same on Lambda's own retries; becomes the id of a direct event.
    """
    if _is_batch(event):
        # What only resembles a batch is a direct event: it is dead-lettered whole instead of failing for ever.
        with suppress(AttributeError, KeyError, OverflowError, TypeError, ValueError):
            return [_batched(record) for record in event["Records"]]
    body = event if isinstance(event, dict) else json.dumps(event).encode()
    return [Message(id=request_id, body=body, attempts=1, received_at=0, source="direct")]


def _is_batch(event: Any) -> bool:
    """Tell a poller's batch from a reading: `Records` alone at the top, so no reading can pose as one."""
    if not isinstance(event, dict) or set(event) != {"Records"} or not isinstance(event["Records"], list):
        return False
    sources = [record.get("eventSource") if isinstance(record, dict) else None for record in event["Records"]]
    return sources != [] and sources[0] in ("aws:sqs", "aws:kinesis") and sources == sources[:1] * len(sources)


def _whole(value: object) -> str:
    text = _text(value)
    if not (text.isascii() and text.isdigit()):
        raise ValueError("not a whole number")
    return text


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _batched(record: Mapping[str, Any]) -> Message:
    if record["eventSource"] == "aws:kinesis":
        data = record["kinesis"]
        return Message(
            id=_whole(data["sequenceNumber"]),
            body=base64.b64decode(data["data"]),
            attempts=1,
            received_at=int(float(data.get("approximateArrivalTimestamp", 0)) * 1000),
            source="kinesis",
        )
    attributes = record.get("attributes", {})
    return Message(
        id=_text(record["messageId"]),
        body=record["body"].encode("utf-8", "surrogatepass"),
        attempts=int(attributes.get("ApproximateReceiveCount", 1)),
        received_at=int(attributes.get("SentTimestamp", 0)),
        source="sqs",
        receipt=_text(record["receiptHandle"]),
    )
