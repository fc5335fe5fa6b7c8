"""What the IoT rule wrote: device, time and trace around the device's payload (base64, or plain fields).

A dead-letter envelope of ours is opened as well, so that a queue of dead letters can be redriven after a repair.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

from ml_lens_runtime import strict_json
from ml_lens_runtime.errors import ReadingError, snippet
from ml_lens_runtime.events import Message

RULE_FIELDS = ("device_id", "received_at", "trace_id")
_DEVICE_ID = re.compile(r"[A-Za-z0-9:_-]{1,128}")
_ID_CHARACTERS = 128


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One rule output, opened as far as it could be.

    Attributes
    ----------
    raw : bytes
        The device's payload as it came; the whole message body if the record itself is unreadable.
    identity : bytes
        The payload without what the rule added: its size is checked, its hash is part of the ledger key.
    content : dict or None
        The reading, where the rule delivered it as plain fields.
    fault : ReadingError or None
        Why the record could not be opened.
    again : str
        Which dead letter this was; empty for a reading on its first way. It is part of the ledger key, or the ledger
        would take the redriven reading for a duplicate of the one that it saw fail.
    """

    device_id: str
    received_at: int
    trace_id: str
    raw: bytes
    identity: bytes
    content: dict[str, Any] | None = None
    fault: ReadingError | None = None
    again: str = ""


def open_record(message: Message) -> Record:
    """Open the body of a message; never raises, a fault is part of the record."""
    raw = message.body if isinstance(message.body, bytes) else b""
    try:
        fields = _fields(message.body)
    except ReadingError as unreadable:
        at = message.received_at
        return Record(device_id="", received_at=at, trace_id=message.id, raw=raw, identity=raw, fault=unreadable)
    device_id = fields.get("device_id")
    content, identity, fault = _payload(fields)
    if not is_device_id(device_id):
        fault = ReadingError("wrong_type", f"device_id is no thing name: {snippet(device_id)}")
        device_id = ""
    return Record(
        device_id=str(device_id),
        received_at=_milliseconds(fields.get("received_at"), message.received_at),
        trace_id=_short(fields.get("trace_id"), message.id),
        raw=raw if content is not None and raw else identity,
        identity=identity,
        content=content,
        fault=fault,
        again=f"{fields['message_id']}/{fields['attempts']}" if _is_dead_letter(fields) else "",
    )


def is_device_id(value: object) -> bool:
    """Tell whether a value is a thing name, so that it cannot add levels or wildcards to a topic."""
    return isinstance(value, str) and _DEVICE_ID.fullmatch(value) is not None


def _fields(body: bytes | dict[str, Any]) -> dict[str, Any]:
    value = strict_json.loads(body) if isinstance(body, bytes) else body
    if not isinstance(value, dict):
        raise ReadingError("not_an_object", f"the record is a {type(value).__name__}")
    if not isinstance(body, bytes) and strict_json.too_deep(value):
        raise ReadingError("not_json", f"nested deeper than {strict_json.MAX_DEPTH}")
    return value


def _is_dead_letter(fields: dict[str, Any]) -> bool:
    return fields.keys() >= {"reason", "message_id", "attempts", "payload", "payload_base64"}


def _payload(fields: dict[str, Any]) -> tuple[dict[str, Any] | None, bytes, ReadingError | None]:
    payload = fields.get("payload")
    if _is_dead_letter(fields):
        if isinstance(payload, str):
            return None, payload.encode("utf-8", "surrogatepass"), None
        payload = fields["payload_base64"]
    if payload is None:
        content = {name: value for name, value in fields.items() if name not in RULE_FIELDS}
        return content, _encoded(content), None
    try:
        return None, base64.b64decode(payload, validate=True), None
    except (ValueError, TypeError):
        text = payload.encode("utf-8", "surrogatepass") if isinstance(payload, str) else _encoded(payload)
        return None, text, ReadingError("bad_encoding", "payload is not base64")


def _encoded(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _milliseconds(value: object, default: int) -> int:
    return value if isinstance(value, int) and 0 < value < 10**15 else default


def _short(value: object, default: str) -> str:
    fits = isinstance(value, str) and 0 < len(value) <= _ID_CHARACTERS and value.isprintable()
    return str(value) if fits else default
