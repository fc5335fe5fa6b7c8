"""score_readings: whatever is in a message, it is scored or dead-lettered, once."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from tests.handlers.fakes import FakeClients
from tests.handlers.fuzz.payloads import bodies, encoded, events, explore
from tests.handlers.support import Scorer, payload, reading, rule_output, sqs_record

READING = reading(1, timestamp="2026-11-21T00:00:00Z", extra={"a": [1, 2]})
RECORD = rule_output(READING)
PLAIN = {"device_id": "turbine-1", "received_at": 1, "trace_id": "t", **READING}
LETTER = {
    "reason": "out_of_range", "detail": "", "device_id": "turbine-1", "reading_id": "r1", "received_at": 1,
    "trace_id": "t", "message_id": "m", "attempts": 1, "payload": payload(READING).decode(), "payload_base64": None,
}  # fmt: skip

inner = bodies(READING).map(lambda raw: encoded(RECORD | {"payload": base64.b64encode(raw).decode()}))
messages = st.one_of(inner, inner, bodies(RECORD, PLAIN, LETTER))


def _ended(aws: FakeClients) -> int:
    assert {item["state"]["S"] for item in aws.ledger.items.values()} <= {"done"}
    return len(aws.log.lines) + len(aws.queue.letters)


def test_every_message_of_a_queue_ends_once_and_a_second_delivery_changes_nothing() -> None:
    def check(batch: list[bytes]) -> None:
        aws = FakeClients()
        scorer = Scorer(aws)
        records = [sqs_record(body.decode("utf-8", "replace"), number=number) for number, body in enumerate(batch)]
        assert scorer({"Records": records}) == []
        assert _ended(aws) == len(aws.ledger.items) > 0
        assert scorer.count("ReadingsReceived") == len(batch) == _ended(aws) + scorer.count("Duplicates")
        before = aws.state()
        assert scorer({"Records": records}) == []
        assert aws.state() == before

    explore(messages, check)


def test_every_record_of_a_stream_ends_once() -> None:
    def check(batch: list[bytes]) -> None:
        aws = FakeClients()
        records = [_stream_record(body, number) for number, body in enumerate(batch)]
        assert Scorer(aws)({"Records": records}) == []
        assert _ended(aws) == len(aws.ledger.items) > 0

    explore(messages, check)


def _stream_record(body: bytes, number: int) -> dict[str, Any]:
    data = {"sequenceNumber": str(number), "partitionKey": "k", "data": base64.b64encode(body).decode()}
    return {"eventSource": "aws:kinesis", "eventID": f"shard:{number}", "kinesis": data}


def test_every_direct_event_ends_once() -> None:
    batchlike = {"Records": [sqs_record(json.dumps(RECORD))]}
    streamlike = {"Records": [_stream_record(b"{}", 1)]}

    def check(batch: list[Any]) -> None:
        aws = FakeClients()
        scorer = Scorer(aws, settings=replace(Scorer(aws).settings, source_queue_url=None))
        for event in batch:
            scorer(event)
        assert _ended(aws) == len(aws.ledger.items) > 0
        before = aws.state()
        for event in batch:
            scorer(event)
        assert aws.state() == before

    explore(events(RECORD, PLAIN, LETTER, batchlike, streamlike), check)
