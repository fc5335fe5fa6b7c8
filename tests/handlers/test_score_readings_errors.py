"""A model that is broken, busy, forbidden or out of reach: what comes again, when, and what is given up."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

from ml_lens_runtime import returns
from tests.handlers.fakes import FakeClients, aws_error, model_error
from tests.handlers.support import Scorer, reading, readings, sqs_event

URL = "https://endpoint"


def test_a_model_that_refuses_everything_gets_its_readings_back_without_a_call_for_each(
    aws: FakeClients, scorer: Scorer
) -> None:
    aws.endpoint.refuses = lambda row: True

    assert len(scorer(sqs_event(readings(100)))) == 100

    assert aws.queue.letters == []
    assert len(aws.endpoint.batches) < 60


def test_a_refused_reading_alone_in_its_batch_comes_again_until_its_attempts_are_exhausted(
    aws: FakeClients, scorer: Scorer
) -> None:
    aws.endpoint.refuses = lambda row: True
    for attempt in range(1, 5):
        assert scorer(sqs_event(readings(1), attempts=attempt)) == ["m0"]

    assert scorer(sqs_event(readings(1), attempts=5)) == []

    (letter,) = aws.queue.letters
    assert letter["reason"] == "attempts_exhausted"
    assert letter["detail"] == "endpoint: model_rejected: endpoint: ModelError 400"
    assert letter["attempts"] == 5


ERRORS = [
    (aws_error("ThrottlingException"), "ThrottlingException"),
    (aws_error("ServiceUnavailable"), "ServiceUnavailable"),
    (aws_error("InternalFailure"), "InternalFailure"),
    (aws_error("ModelNotReadyException"), "ModelNotReadyException"),
    (model_error(500), "ModelError 500"),
    (model_error(503), "ModelError 503"),
    (model_error(429), "ModelError 429"),
    (ReadTimeoutError(endpoint_url=URL), "ReadTimeoutError"),
    (ConnectTimeoutError(endpoint_url=URL), "ConnectTimeoutError"),
    (EndpointConnectionError(endpoint_url=URL), "EndpointConnectionError"),
    (aws_error("AccessDeniedException"), "AccessDeniedException"),
    (aws_error("ValidationError"), "ValidationError"),
]


@pytest.mark.parametrize(("error", "cause"), ERRORS, ids=[cause for _, cause in ERRORS])
def test_an_error_that_is_no_readings_fault_sends_the_batch_back_and_keeps_its_cause(
    aws: FakeClients, scorer: Scorer, error: Exception, cause: str
) -> None:
    aws.endpoint.failures = [error, error]

    assert scorer(sqs_event(readings(3), attempts=2)) == ["m0", "m1", "m2"]
    assert (aws.log.lines, aws.queue.letters, len(aws.endpoint.batches)) == ([], [], 1)
    assert aws.queue.pauses == {f"h{i}": returns.backoff(f"m{i}", 2) for i in range(3)}

    assert scorer(sqs_event(readings(3), attempts=5)) == []
    assert {letter["detail"] for letter in aws.queue.letters} == {f"endpoint: {cause}"}
    assert aws.queue.reasons == ["attempts_exhausted"] * 3


@pytest.mark.parametrize(("code", "level"), [("AccessDeniedException", "ERROR"), ("ThrottlingException", "WARNING")])
def test_an_error_that_needs_somebody_is_logged_as_one(
    aws: FakeClients, scorer: Scorer, caplog: pytest.LogCaptureFixture, code: str, level: str
) -> None:
    aws.endpoint.failures = [aws_error(code)]

    scorer(sqs_event(readings(1)))

    (record,) = [entry for entry in caplog.records if entry.message == "endpoint call failed"]
    assert record.levelname == level
    assert record.__dict__["error_code"] == code


def test_throttling_while_halving_keeps_what_was_scored_and_returns_the_rest(aws: FakeClients, scorer: Scorer) -> None:
    aws.endpoint.refuses = lambda row: row[0] == 20.0
    aws.endpoint.failures = [None, None, None, aws_error("ThrottlingException")]

    returned = scorer(sqs_event(readings(8)))

    assert sorted([*returned, *(f"m{line['reading_id'][1:]}" for line in aws.log.lines)]) == [
        f"m{i}" for i in range(8) if f"r{i}" not in {x["reading_id"] for x in aws.queue.letters}
    ]
    assert len(aws.endpoint.batches) == 4
    assert aws.queue.letters == []
    assert scorer(sqs_event(readings(8))) == []
    assert [(x["reading_id"], x["reason"]) for x in aws.queue.letters] == [("r0", "model_rejected")]
    assert sorted(line["reading_id"] for line in aws.log.lines) == [f"r{i}" for i in range(1, 8)]


def test_halving_stops_when_half_of_the_time_is_gone(aws: FakeClients, scorer: Scorer) -> None:
    aws.endpoint.refuses = lambda row: row[0] == 20.0
    scorer.left = 20.0

    assert len(scorer(sqs_event(readings(8)))) == 8

    assert len(aws.endpoint.batches) == 1


def test_the_pause_grows_with_the_attempts_and_differs_between_messages() -> None:
    pauses = [returns.backoff("m1", attempt) for attempt in range(1, 12)]

    assert all(2**attempt // 2 <= pause <= 2**attempt for attempt, pause in enumerate(pauses[:7], start=1))
    assert all(150 <= pause <= 300 for pause in pauses[8:])
    assert len({returns.backoff(f"m{i}", 8) for i in range(50)}) > 20


def test_a_pause_that_cannot_be_set_is_no_failure(aws: FakeClients, scorer: Scorer) -> None:
    aws.endpoint.failures = [aws_error("ThrottlingException")]

    def refuse(**request: Any) -> dict[str, Any]:
        raise aws_error("AccessDenied")

    aws.queue.change_message_visibility_batch = refuse  # type: ignore[method-assign]

    assert scorer(sqs_event(readings(1))) == ["m0"]


def test_no_value_of_a_reading_is_logged(
    aws: FakeClients, scorer: Scorer, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    aws.endpoint.refuses = lambda row: row[0] == 8642.25

    scorer(sqs_event([reading(0), reading(1, temperature=8642.25), reading(2, temperature=1e30, note="secret")]))

    said = capsys.readouterr().out + json.dumps([str(record.__dict__) for record in caplog.records])
    assert "8642.25" not in said
    assert "secret" not in said
    assert "1e+30" not in said
    assert len(aws.queue.letters) == 2
