"""One call per batch; answers that don't fit; a model that is broken, busy or forbidden."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

from ml_lens_runtime import returns
from tests.handlers.fakes import FakeClients, Row, aws_error, distance_lines, model_error
from tests.handlers.support import Scorer, reading, sqs_event

URL = "https://endpoint"


def readings(count: int) -> list[dict[str, Any]]:
    return [reading(i, temperature=20.0 + i / 10) for i in range(count)]


@pytest.mark.parametrize("content_type", ["text/csv", "application/jsonlines"])
def test_a_batch_is_scored_with_one_call(aws: FakeClients, scorer: Scorer, content_type: str) -> None:
    assert scorer(sqs_event(readings(100)), content_type=content_type) == []

    assert [len(batch) for batch in aws.endpoint.batches] == [100]
    assert aws.endpoint.batches[0][3] == [20.3, 100.0]
    assert scorer.count("EndpointCalls") == 1
    assert scorer.count("ReadingsScored") == 100


def test_a_result_carries_everything_that_is_known(aws: FakeClients, scorer: Scorer) -> None:
    scorer(sqs_event([reading(4, temperature=35.0, note="spare")]))

    (line,) = aws.log.lines
    assert line.pop("latency_ms") >= 0
    assert line == {
        "prediction_id": "turbine-1#r4",
        "device_id": "turbine-1",
        "reading_id": "r4",
        "received_at": 1_799_999_999_000,
        "scored_at": "2027-01-15T08:00:00.000Z",
        "reading": reading(4, temperature=35.0, note="spare"),
        "features": {"temperature": 35.0, "pressure": 100.0},
        "score": 15.0,
        "threshold": 10.0,
        "anomaly": True,
        "endpoint": "turbines",
        "variant": "blue",
        "model_version": "v1",
    }


def test_a_reading_without_an_id_is_named_by_its_trace(aws: FakeClients, scorer: Scorer) -> None:
    scorer(sqs_event([{"temperature": 20.0, "pressure": 1.0}]))

    assert aws.log.lines[0]["prediction_id"] == "turbine-1#t0"
    assert aws.log.lines[0]["reading_id"] is None


def test_threshold_and_version_come_from_the_environment_if_the_answer_has_none(
    aws: FakeClients, scorer: Scorer
) -> None:
    aws.endpoint.content_type = "text/csv"
    aws.endpoint.lines = lambda rows: ["3.5" for _ in rows]

    scorer(sqs_event(readings(2)), content_type="text/csv", threshold=3.0, model_version="v7")

    assert [(line["threshold"], line["model_version"], line["anomaly"]) for line in aws.log.lines] == [
        (3.0, "v7", True),
        (3.0, "v7", True),
    ]


def test_a_csv_answer_with_three_columns_is_read(aws: FakeClients, scorer: Scorer) -> None:
    aws.endpoint.content_type = "text/csv"
    aws.endpoint.lines = lambda rows: ["0.5,1.5,v3\r" for _ in rows]

    scorer(sqs_event(readings(2)), content_type="text/csv", threshold=0.1)

    assert [(line["score"], line["threshold"], line["model_version"]) for line in aws.log.lines] == [
        (0.5, 1.5, "v3")
    ] * 2


def test_the_answers_own_content_type_decides_how_it_is_read(aws: FakeClients, scorer: Scorer) -> None:
    aws.endpoint.content_type = "text/csv; charset=utf-8"
    aws.endpoint.lines = lambda rows: ["1.5,1,v9" for _ in rows]

    assert scorer(sqs_event(readings(2)), content_type="application/jsonlines") == []

    assert [line["model_version"] for line in aws.log.lines] == ["v9", "v9"]


def test_a_reading_that_the_model_refuses_is_found_by_halving(aws: FakeClients, scorer: Scorer) -> None:
    aws.endpoint.refuses = lambda row: row[0] in (21.7, 26.3)

    assert scorer(sqs_event(readings(100))) == []

    assert [(x["reading_id"], x["reason"]) for x in aws.queue.letters] == [
        ("r17", "model_rejected"),
        ("r63", "model_rejected"),
    ]
    assert len(aws.log.lines) == 98
    assert len(aws.endpoint.batches) < 32


def test_scores_stay_with_their_reading_if_the_answer_is_short_for_one_of_them(
    aws: FakeClients, scorer: Scorer
) -> None:
    aws.endpoint.lines = lambda rows: distance_lines([row for row in rows if row[0] != 21.0])

    assert scorer(sqs_event(readings(30))) == []

    assert [(x["reading_id"], x["reason"]) for x in aws.queue.letters] == [("r10", "answer_mismatch")]
    for line in aws.log.lines:
        assert line["score"] == pytest.approx(line["features"]["temperature"] - 20)
    assert len(aws.log.lines) == 29


def _broken(row: Row, line: str) -> str:
    return line if row[0] == 21.0 else distance_lines([row])[0]


@pytest.mark.parametrize(
    "line",
    [
        '{"score": NaN, "threshold": 1}',
        '{"score": 1e999, "threshold": 1}',
        '{"score": true, "threshold": 1}',
        '{"score": "1", "threshold": 1}',
        '{"score": 1, "threshold": Infinity}',
        '{"score": 1}',
        '{"threshold": 1}',
        "[1]",
        "oops",
        "[" * 5000,
        "1" * 400,
        '{"score": ' + "1" * 400 + ', "threshold": 1}',
    ],
)
def test_an_answer_line_that_is_no_finite_score_is_the_fault_of_its_reading_only(
    aws: FakeClients, scorer: Scorer, line: str
) -> None:
    aws.endpoint.lines = lambda rows: [_broken(row, line) for row in rows]

    assert scorer(sqs_event(readings(20))) == []

    assert aws.queue.reasons == ["answer_mismatch"]
    assert len(aws.queue.letters[0]["detail"]) < 250
    assert len(aws.log.lines) == 19


@pytest.mark.parametrize("line", ["nan", "inf", "warm", "1,2,3,4", "1,nan", ""])
def test_a_csv_line_that_is_no_finite_score_is_an_answer_fault(aws: FakeClients, scorer: Scorer, line: str) -> None:
    aws.endpoint.content_type = "text/csv"
    aws.endpoint.lines = lambda rows: [line if row[0] == 21.0 else "0.5" for row in rows]

    assert scorer(sqs_event(readings(20)), content_type="text/csv", threshold=1.0) == []

    assert aws.queue.reasons == ["answer_mismatch"]


def test_a_model_that_answers_too_much_is_not_trusted(aws: FakeClients, scorer: Scorer) -> None:
    aws.endpoint.lines = lambda rows: [*distance_lines(rows), distance_lines(rows)[0]]

    assert scorer(sqs_event(readings(4))) == ["m0", "m1", "m2", "m3"]

    assert aws.log.lines == []
    assert aws.queue.letters == []


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
