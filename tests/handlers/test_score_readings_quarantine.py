"""Every way in which a reading can be bad ends in the dead-letter queue, whole and with its reason."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from tests.handlers.fakes import FakeClients
from tests.handlers.support import Scorer, payload, reading, rule_output, sqs_event, sqs_record

GOOD = reading(0)
CASES: list[tuple[str, Any, str, str]] = [
    ("missing", {"reading_id": "r1", "temperature": 1.0}, "missing_feature", "pressure is missing"),
    ("text", reading(1, temperature="warm"), "wrong_type", "temperature is a string"),
    ("numeric text", reading(1, temperature="20.0"), "wrong_type", "temperature is a string"),
    ("boolean", reading(1, temperature=True), "wrong_type", "temperature is a boolean"),
    ("null", reading(1, temperature=None), "wrong_type", "temperature is null"),
    ("array", reading(1, temperature=[20.0]), "wrong_type", "temperature is an array"),
    ("object", reading(1, temperature={}), "wrong_type", "temperature is an object"),
    ("NaN", b'{"reading_id":"r1","temperature":NaN,"pressure":1}', "not_finite", "temperature is nan"),
    ("Infinity", b'{"reading_id":"r1","temperature":Infinity,"pressure":1}', "not_finite", "temperature is inf"),
    ("-Infinity", b'{"reading_id":"r1","temperature":-Infinity,"pressure":1}', "not_finite", "temperature is -inf"),
    ("1e999", b'{"reading_id":"r1","temperature":1e999,"pressure":1}', "not_finite", "temperature is inf"),
    ("huge integer", b'{"reading_id":"r1","temperature":' + b"9" * 4000 + b',"pressure":1}', "not_finite", "inf"),
    ("absurd", reading(1, temperature=1e30), "out_of_range", "temperature is 1e+30, not within -1e+12 and 1e+12"),
    ("too high", reading(1, pressure=500.1), "out_of_range", "pressure is 500.1, not within 0 and 500"),
    ("too low", reading(1, pressure=-0.1), "out_of_range", "pressure is -0.1"),
    ("too large", reading(1, note="x" * 5000), "too_large", "bytes, at most 4096"),
    ("latin-1", '{"reading_id":"r1","note":"ü"}'.encode("latin-1"), "bad_encoding", "not UTF-8 at byte"),
    ("utf-16", json.dumps(reading(1)).encode("utf-16"), "bad_encoding", "not UTF-8 at byte 0"),
    ("text payload", b"hello", "not_json", "no valid JSON at character 0"),
    ("empty", b"", "not_json", "no valid JSON"),
    ("cut short", b'{"temperature": 20', "not_json", "no valid JSON"),
    ("deep", b'{"temperature":' + b"[" * 2000 + b"]" * 2000 + b"}", "not_json", "nested deeper than 32"),
    ("deep enough", b'{"a":' + b"[" * 40 + b"]" * 40 + b"}", "not_json", "nested deeper than 32"),
    ("array payload", [1, 2], "not_an_object", "the payload is an array"),
    ("number payload", 5, "not_an_object", "the payload is a number"),
    ("null payload", None, "not_an_object", "the payload is null"),
    ("odd id", reading(1) | {"reading_id": ["r"]}, "wrong_type", "reading_id must have"),
    ("surrogate id", b'{"reading_id":"\\ud800","temperature":1,"pressure":1}', "wrong_type", "reading_id"),
]  # fmt: skip


@pytest.mark.parametrize(("bad", "reason", "detail"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_a_bad_reading_is_quarantined_with_its_reason_and_the_good_one_scored(
    aws: FakeClients, scorer: Scorer, bad: Any, reason: str, detail: str
) -> None:
    returned = scorer(sqs_event([GOOD, bad]))

    assert returned == []
    (letter,) = aws.queue.letters
    assert letter["reason"] == reason
    assert detail in letter["detail"]
    assert aws.queue.attributes[0]["reason"]["StringValue"] == reason
    assert (letter["device_id"], letter["message_id"], letter["attempts"]) == ("turbine-1", "m1", 1)
    assert _payload(letter) == payload(bad)
    assert [line["reading_id"] for line in aws.log.lines] == ["r0"]
    assert scorer.count("ReadingsQuarantined") == 1


def _payload(letter: dict[str, Any]) -> bytes:
    if letter["payload"] is not None:
        return str(letter["payload"]).encode()
    return base64.b64decode(letter["payload_base64"])


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("not json", "not_json"),
        ("[1]", "not_an_object"),
        (json.dumps(rule_output(GOOD) | {"payload": "%%%"}), "bad_encoding"),
        (json.dumps(rule_output(GOOD) | {"payload": 5}), "bad_encoding"),
        (json.dumps(rule_output(GOOD, device="turbine-1/+/#")), "wrong_type"),
        (json.dumps(rule_output(GOOD, device="")), "wrong_type"),
        (json.dumps(rule_output(GOOD, device=None)), "wrong_type"),
        (json.dumps(rule_output(GOOD, device="x" * 129)), "wrong_type"),
    ],
)
def test_a_bad_rule_record_is_quarantined(aws: FakeClients, scorer: Scorer, body: str, reason: str) -> None:
    assert scorer({"Records": [sqs_record(body)]}) == []

    assert aws.queue.reasons == [reason]
    assert aws.endpoint.batches == []


def test_a_detail_echoes_only_a_bounded_snippet(aws: FakeClients, scorer: Scorer) -> None:
    scorer(sqs_event([reading(1) | {"reading_id": "\u202e" * 3000}]))

    detail = aws.queue.letters[0]["detail"]
    assert detail.isascii()
    assert len(detail) < 200


def test_a_reading_id_is_kept_for_a_bad_reading(aws: FakeClients, scorer: Scorer) -> None:
    scorer(sqs_event([reading(7, temperature=None)]))

    assert aws.queue.letters[0]["reading_id"] == "r7"


@pytest.mark.parametrize("filler", [b"\x00", b"\xff", b"x"])
def test_the_largest_payload_of_iot_fits_the_envelope_whole(aws: FakeClients, scorer: Scorer, filler: bytes) -> None:
    body = filler * 131_072

    scorer(sqs_event([body]))

    assert _payload(aws.queue.letters[0]) == body
    assert "payload_truncated" not in aws.queue.letters[0]


def test_a_larger_payload_is_cut_and_flagged_with_size_and_hash(aws: FakeClients, scorer: Scorer) -> None:
    body = b"\xff" * 300_000

    scorer(sqs_event([body]))

    letter = aws.queue.letters[0]
    assert letter["reason"] == "too_large"
    assert letter["payload_truncated"] is True
    assert letter["payload_bytes"] == 300_000
    assert letter["payload_sha256"] == hashlib.sha256(body).hexdigest()
    assert body.startswith(_payload(letter))


def test_a_quarantine_that_the_queue_refuses_comes_again_and_is_sent_once(aws: FakeClients, scorer: Scorer) -> None:
    event = sqs_event([reading(0), reading(1, temperature=None), reading(2, temperature=None)])
    aws.queue.refuses = lambda letter: letter["reading_id"] == "r2"
    assert scorer(event) == ["m2"]

    aws.queue.refuses = lambda letter: False
    assert scorer(event) == []

    assert [letter["reading_id"] for letter in aws.queue.letters] == ["r1", "r2"]
    assert len(aws.log.lines) == 1


def test_fields_that_are_no_features_may_be_odd_and_stay_valid_json_in_the_log(
    aws: FakeClients, scorer: Scorer
) -> None:
    odd = b'{"reading_id":1,"temperature":20,"pressure":1,"extra":[NaN,{"a":1e999}],"text":"\\ud800\\u0000"}'

    scorer(sqs_event([odd]))

    (line,) = aws.log.lines
    assert line["reading"]["extra"] == [None, {"a": None}]
    assert line["reading_id"] == "1"
