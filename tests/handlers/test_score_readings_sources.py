"""SQS, Kinesis and direct events; encoded payloads and plain fields; the Lambda entry point itself."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from ml_lens_runtime.errors import ScoringIncompleteError
from tests.handlers.fakes import FakeClients, aws_error
from tests.handlers.support import Scorer, kinesis_event, reading, rule_output, sqs_record

PLAIN = {**reading(0), "device_id": "turbine-1", "received_at": 1_799_999_999_000, "trace_id": "t"}


def test_a_stream_batch_is_scored_with_one_call(aws: FakeClients, scorer: Scorer) -> None:
    assert scorer(kinesis_event([reading(i) for i in range(5)])) == []

    assert len(aws.endpoint.batches) == 1
    assert len(aws.log.lines) == 5


def test_a_stream_reports_the_lowest_failed_sequence_number_and_sets_no_pause(aws: FakeClients, scorer: Scorer) -> None:
    aws.log.refuses = lambda line: line["reading_id"] in ("r2", "r3")

    assert scorer(kinesis_event([reading(i) for i in range(5)], first=98)) == ["100"]

    assert aws.queue.pauses == {}
    aws.log.refuses = lambda line: False
    assert scorer(kinesis_event([reading(i) for i in range(5)], first=98)) == []
    assert sorted(line["reading_id"] for line in aws.log.lines) == ["r0", "r1", "r2", "r3", "r4"]


def test_a_bad_reading_of_a_stream_is_quarantined(aws: FakeClients, scorer: Scorer) -> None:
    assert scorer(kinesis_event([reading(0), b"junk"])) == []

    assert aws.queue.reasons == ["not_json"]
    assert aws.queue.letters[0]["message_id"] == "101"


def test_a_direct_event_is_scored(aws: FakeClients, scorer: Scorer) -> None:
    assert scorer(rule_output(reading(0))) == []

    assert aws.log.lines[0]["prediction_id"] == "turbine-1#r0"


def test_a_direct_event_that_fails_is_raised_for_lambda_to_retry(aws: FakeClients, scorer: Scorer) -> None:
    aws.endpoint.failures = [aws_error("ThrottlingException")]
    with pytest.raises(ScoringIncompleteError, match="ThrottlingException"):
        scorer(rule_output(reading(0)))

    assert scorer(rule_output(reading(0))) == []

    assert len(aws.log.lines) == 1


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (rule_output(b"junk"), "not_json"),
        ([1, 2], "not_an_object"),
        ("text", "not_an_object"),
        ({**PLAIN, "temperature": "20"}, "wrong_type"),
        ({"Records": [], "device_id": "turbine-1"}, "missing_feature"),
        ({"Records": []}, "wrong_type"),
    ],
)
def test_a_bad_direct_event_is_quarantined(aws: FakeClients, scorer: Scorer, event: Any, reason: str) -> None:
    assert scorer(event) == []

    assert aws.queue.reasons == [reason]


def test_a_direct_reading_cannot_pose_as_a_batch_of_other_devices(aws: FakeClients, scorer: Scorer) -> None:
    forged = sqs_record(json.dumps(rule_output(reading(0), device="turbine-2")))

    scorer({"Records": [forged], "device_id": "turbine-1"})

    assert aws.log.lines == []
    assert aws.queue.letters[0]["device_id"] == "turbine-1"


def test_a_direct_event_nested_too_deeply_is_quarantined(aws: FakeClients, scorer: Scorer) -> None:
    nested: Any = 1
    for _ in range(400):
        nested = [nested]

    assert scorer({**PLAIN, "extra": nested}) == []

    assert aws.queue.reasons == ["not_json"]


@pytest.mark.parametrize("source", ["sqs", "kinesis", "direct"])
def test_plain_fields_are_read_without_what_the_rule_added(aws: FakeClients, scorer: Scorer, source: str) -> None:
    assert scorer(_delivered(PLAIN, source)) == []

    (line,) = aws.log.lines
    assert line["reading"] == reading(0)
    assert (line["device_id"], line["received_at"]) == ("turbine-1", 1_799_999_999_000)


def _delivered(record: dict[str, Any], source: str) -> dict[str, Any]:
    if source == "direct":
        return record
    if source == "sqs":
        return {"Records": [sqs_record(json.dumps(record))]}
    event = kinesis_event([reading(0)])
    event["Records"][0]["kinesis"]["data"] = base64.b64encode(json.dumps(record).encode()).decode()
    return event


def test_plain_fields_delivered_twice_are_one_reading_although_the_trace_differs(
    aws: FakeClients, scorer: Scorer
) -> None:
    scorer(_delivered(PLAIN, "sqs"))
    scorer(_delivered({**PLAIN, "trace_id": "other", "received_at": 1_799_999_999_001}, "sqs"))

    assert len(aws.log.lines) == 1


def test_a_bad_plain_record_is_kept_as_it_came(aws: FakeClients, scorer: Scorer) -> None:
    record = {**PLAIN, "temperature": None}

    scorer(_delivered(record, "sqs"))

    assert json.loads(aws.queue.letters[0]["payload"]) == record


@pytest.mark.parametrize(("source", "expected"), [("sqs", 1_799_999_999_500), ("kinesis", 1_799_999_999_500)])
def test_the_source_says_when_a_reading_came_if_the_rule_does_not(
    aws: FakeClients, scorer: Scorer, source: str, expected: int
) -> None:
    record = {name: value for name, value in PLAIN.items() if name != "received_at"}

    scorer(_delivered(record, source))

    assert aws.log.lines[0]["received_at"] == expected


def test_a_stream_record_whose_delivery_died_is_not_held_up_by_its_own_lease(aws: FakeClients, scorer: Scorer) -> None:
    aws.endpoint.failures = [KeyboardInterrupt()]  # type: ignore[list-item]
    with pytest.raises(KeyboardInterrupt):
        scorer(kinesis_event([reading(0)]))

    assert scorer(kinesis_event([reading(0)], first=500)) == ["500"]  # another record of the same reading waits
    assert scorer(kinesis_event([reading(0)])) == []

    assert len(aws.log.lines) == 1


@pytest.mark.parametrize("attribute", ["ApproximateReceiveCount", "SentTimestamp"])
def test_what_only_resembles_a_batch_is_quarantined_whole(aws: FakeClients, scorer: Scorer, attribute: str) -> None:
    record = sqs_record(json.dumps(rule_output(reading(0))))
    record["attributes"][attribute] = "many"

    assert scorer({"Records": [record]}) == []

    assert (aws.log.lines, len(aws.queue.letters)) == ([], 1)
