"""A ledger, a log or an action in trouble: what was done is not repeated, what was not comes again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from tests.handlers.fakes import FakeClients, aws_error
from tests.handlers.support import Scorer, kinesis_event, reading, sqs_event

HOT = 50.0


def test_a_ledger_that_cannot_be_settled_acknowledges_what_was_done(aws: FakeClients, scorer: Scorer) -> None:
    aws.ledger.failures = [None, aws_error("ProvisionedThroughputExceededException")]

    assert scorer(sqs_event([reading(0)])) == []

    assert len(aws.log.lines) == 1


def test_settling_is_tried_again_after_a_conflict(aws: FakeClients, scorer: Scorer) -> None:
    aws.ledger.failures = [None, _conflict(1)]
    event = sqs_event([reading(0)])
    assert scorer(event) == []

    assert scorer(event) == []

    assert len(aws.log.lines) == 1


def _conflict(count: int) -> Exception:
    reasons = [{"Code": "TransactionConflict"}, *({"Code": "None"} for _ in range(count - 1))]
    return aws_error("TransactionCanceledException", CancellationReasons=reasons)


def test_a_claim_is_tried_again_after_a_conflict(aws: FakeClients, scorer: Scorer) -> None:
    aws.ledger.failures = [_conflict(2), _conflict(2)]

    assert scorer(sqs_event([reading(0), reading(1)])) == []

    assert len(aws.log.lines) == 2


def test_a_claim_that_keeps_conflicting_comes_again(aws: FakeClients, scorer: Scorer) -> None:
    aws.ledger.failures = [_conflict(1)] * 4

    assert scorer(sqs_event([reading(0)], attempts=5)) == []

    assert aws.endpoint.batches == []
    assert aws.queue.letters[0]["detail"] == "ledger: TransactionConflict"


def test_a_kept_prediction_of_another_version_is_scored_again(aws: FakeClients, scorer: Scorer) -> None:
    aws.notify.failures = [aws_error("InternalError")]
    event = sqs_event([reading(0, temperature=HOT)])
    scorer(event)
    (item,) = aws.ledger.items.values()
    item["prediction"] = {"S": '{"score": 1}'}

    assert scorer(event) == []

    assert (len(aws.log.lines), len(aws.notify.calls), len(aws.endpoint.batches)) == (1, 1, 2)


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (aws_error("AccessDeniedException"), "AccessDeniedException"),
        (aws_error("ResourceNotFoundException"), "ResourceNotFoundException"),
        (EndpointConnectionError(endpoint_url="https://x"), "EndpointConnectionError"),
    ],
)
def test_without_the_ledger_nothing_is_scored_and_the_cause_is_kept(
    aws: FakeClients, scorer: Scorer, error: Exception, cause: str
) -> None:
    aws.ledger.failures = [error, error]

    assert scorer(sqs_event([reading(0), b"junk"])) == ["m0", "m1"]
    assert (aws.endpoint.batches, aws.queue.letters) == ([], [])

    assert scorer(sqs_event([reading(0), b"junk"], attempts=5)) == []
    assert [(x["reason"], x["detail"]) for x in aws.queue.letters] == [
        ("attempts_exhausted", f"ledger: {cause}"),
        ("not_json", "no valid JSON at character 0"),
    ]


def test_a_log_record_that_firehose_does_not_take_is_tried_again_alone_and_then_comes_again(
    aws: FakeClients, scorer: Scorer
) -> None:
    aws.log.refuses = lambda line: line["reading_id"] == "r1"
    event = sqs_event([reading(i) for i in range(3)])

    assert scorer(event) == ["m1"]
    assert aws.log.calls == [3, 1, 1]

    aws.log.refuses = lambda line: False
    assert scorer(event) == []
    assert sorted(line["reading_id"] for line in aws.log.lines) == ["r0", "r1", "r2"]


def test_a_failing_action_repeats_neither_the_others_nor_the_log_nor_the_score(
    aws: FakeClients, scorer: Scorer
) -> None:
    aws.notify.failures = [aws_error("InternalError")]
    event = sqs_event([reading(0, temperature=HOT)])
    assert scorer(event) == ["m0"]
    assert (len(aws.log.lines), len(aws.command.calls), aws.notify.calls) == (1, 1, [])
    aws.endpoint.lines = lambda rows: ['{"score": 0, "threshold": 10, "model_version": "v2"}' for _ in rows]

    assert scorer(event) == []

    assert (len(aws.log.lines), len(aws.command.calls), len(aws.notify.calls)) == (1, 1, 1)
    assert json.loads(aws.notify.calls[0]["Message"])["model_version"] == "v1"
    assert len(aws.endpoint.batches) == 1


def test_an_action_that_keeps_failing_ends_in_the_dead_letter_queue_with_its_cause(
    aws: FakeClients, scorer: Scorer
) -> None:
    aws.notify.failures = [aws_error("AuthorizationError")] * 2
    event = sqs_event([reading(0, temperature=HOT)])
    scorer(event)

    assert scorer(event, max_attempts=2) == []

    (letter,) = aws.queue.letters
    assert (letter["reason"], letter["detail"]) == ("attempts_exhausted", "action tell: AuthorizationError")
    assert len(aws.log.lines) == 1


def test_a_bug_of_ours_sends_the_batch_back_at_once_and_ends_with_its_name(aws: FakeClients, scorer: Scorer) -> None:
    aws.endpoint.failures = [KeyError("x"), KeyError("x")]
    event = sqs_event([reading(0)])
    assert scorer(event) == ["m0"]

    assert scorer(event, max_attempts=2) == []

    assert aws.queue.letters[0]["detail"] == "unexpected: KeyError"


def test_deliveries_that_died_count_as_attempts(aws: FakeClients, scorer: Scorer) -> None:
    event = kinesis_event([reading(0)])
    for _ in range(2):
        aws.endpoint.failures = [KeyboardInterrupt()]  # type: ignore[list-item]
        with pytest.raises(KeyboardInterrupt):
            scorer(event)
    aws.endpoint.failures = [aws_error("ThrottlingException")]

    assert scorer(event, max_attempts=3) == []

    assert aws.queue.letters[0]["attempts"] == 3


def test_a_bug_in_the_middle_of_a_quarantine_does_not_repeat_what_was_sent(aws: FakeClients, scorer: Scorer) -> None:
    event = sqs_event([b"%d{" % number for number in range(12)])

    def refuse(letter: dict[str, Any]) -> bool:
        if letter["message_id"] == "m11":
            raise KeyError("a bug")
        return False

    aws.queue.refuses = refuse
    assert len(scorer(event)) == 12
    assert len(aws.queue.letters) >= 10
    aws.queue.refuses = lambda letter: letter["message_id"] in {f"m{i}" for i in range(10)}

    assert scorer(event) == []

    assert {letter["message_id"] for letter in aws.queue.letters} == {f"m{i}" for i in range(12)}
