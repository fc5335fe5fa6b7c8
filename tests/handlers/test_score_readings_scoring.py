"""One call per batch; scores stay with their reading; answers that don't fit are isolated."""

from __future__ import annotations

import pytest

from tests.handlers.fakes import FakeClients, Row, distance_lines
from tests.handlers.support import Scorer, reading, readings, sqs_event


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


def test_an_answer_that_is_no_text_is_not_trusted(aws: FakeClients, scorer: Scorer) -> None:
    aws.endpoint.lines = lambda rows: ["\udcff" for _ in rows]  # the byte 0xff

    assert scorer(sqs_event(readings(4))) == ["m0", "m1", "m2", "m3"]

    assert (aws.log.lines, aws.queue.letters) == ([], [])
