"""Every reading once: duplicates, leases, crashes, partial failures; and a ledger that is in trouble."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from tests.handlers.fakes import FakeClients, aws_error
from tests.handlers.support import NOW, Scorer, kinesis_event, reading, rule_output, sqs_event, sqs_record

HOT = 50.0


def test_a_redelivered_batch_changes_nothing(aws: FakeClients, scorer: Scorer) -> None:
    event = sqs_event([reading(0), reading(1, temperature=HOT), reading(2, temperature=None), b"junk"])
    assert scorer(event) == []
    before, calls = aws.state(), len(aws.endpoint.batches)

    assert scorer(event) == []

    assert aws.state() == before
    assert len(aws.endpoint.batches) == calls
    assert scorer.count("Duplicates") == 4
    assert scorer.count("ReadingsScored") == 0


def test_two_messages_with_the_same_reading_in_one_batch_are_scored_once_and_both_acknowledged(
    aws: FakeClients, scorer: Scorer
) -> None:
    bodies = [json.dumps(rule_output(reading(0), trace=trace)) for trace in ("a", "b")]
    event = {"Records": [sqs_record(body, number=i) for i, body in enumerate(bodies)]}

    assert scorer(event) == []

    assert len(aws.log.lines) == 1
    assert scorer.count("Duplicates") == 1


def test_duplicates_of_a_reading_that_fails_come_again_together(aws: FakeClients, scorer: Scorer) -> None:
    bodies = [json.dumps(rule_output(reading(0), trace=trace)) for trace in ("a", "b")]
    aws.endpoint.failures = [aws_error("ThrottlingException")]

    assert scorer({"Records": [sqs_record(body, number=i) for i, body in enumerate(bodies)]}) == ["m0", "m1"]


def test_an_id_used_again_for_another_reading_or_by_another_device_is_no_duplicate(
    aws: FakeClients, scorer: Scorer
) -> None:
    scorer(sqs_event([reading(0, temperature=20.0)]))
    scorer(sqs_event([reading(0, temperature=21.0)]))
    scorer({"Records": [sqs_record(json.dumps(rule_output(reading(0), device="turbine-2")))]})

    assert len(aws.log.lines) == 3


def test_a_corrected_reading_is_scored_although_its_id_was_quarantined(aws: FakeClients, scorer: Scorer) -> None:
    scorer(sqs_event([reading(0, temperature=None)]))
    scorer(sqs_event([reading(0)]))

    assert len(aws.log.lines) == 1


def test_a_reading_leased_by_another_delivery_comes_again_after_the_lease(aws: FakeClients, scorer: Scorer) -> None:
    _claimed_elsewhere(aws, scorer, until=NOW + 30)

    assert scorer(sqs_event([reading(0), reading(1)], attempts=9)) == ["m0"]

    assert aws.queue.pauses == {"h0": 31}
    assert [line["reading_id"] for line in aws.log.lines] == ["r1"]
    assert aws.queue.letters == []
    scorer.now = NOW + 31
    assert scorer(sqs_event([reading(0), reading(1)])) == []
    assert [line["reading_id"] for line in aws.log.lines] == ["r1", "r0"]


def _claimed_elsewhere(aws: FakeClients, scorer: Scorer, *, until: float) -> None:
    """Leave the ledger as a delivery would that is still at work."""
    aws.endpoint.failures = [aws_error("ThrottlingException")]
    scorer(sqs_event([reading(0)]))
    aws.queue.pauses.clear()
    (item,) = aws.ledger.items.values()
    item["lease_until"] = {"N": str(until)}


class Killed(BaseException):
    """Ends a run as Lambda's timeout does: nothing of ours runs after it."""


def test_a_crash_before_any_effect_loses_nothing(aws: FakeClients, scorer: Scorer) -> None:
    aws.endpoint.failures = [Killed()]  # type: ignore[list-item]
    with pytest.raises(Killed):
        scorer(sqs_event([reading(0)]))
    assert scorer(sqs_event([reading(0)])) == ["m0"]  # the lease of the dead run still stands

    scorer.now = NOW + 66
    assert scorer(sqs_event([reading(0)], attempts=3)) == []

    assert len(aws.log.lines) == 1


def test_a_crash_between_effects_and_completion_repeats_them_under_the_same_ids(
    aws: FakeClients, scorer: Scorer
) -> None:
    aws.ledger.failures = [None, Killed()]  # type: ignore[list-item]
    with pytest.raises(Killed):
        scorer(sqs_event([reading(0, temperature=HOT)]))

    scorer.now = NOW + 66
    assert scorer(sqs_event([reading(0, temperature=HOT)], attempts=2)) == []

    assert {line["prediction_id"] for line in aws.log.lines} == {"turbine-1#r0"}
    alerts = [json.loads(call["Message"])["alert_id"] for call in aws.notify.calls]
    assert set(alerts) == {"turbine-1#r0"}
    before = aws.state()
    assert scorer(sqs_event([reading(0, temperature=HOT)], attempts=3)) == []
    assert aws.state() == before


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


def test_the_ledger_forgets_after_its_hours(aws: FakeClients, scorer: Scorer) -> None:
    scorer(sqs_event([reading(0)]), ledger_hours=2)

    (item,) = aws.ledger.items.values()
    assert item["state"] == {"S": "done"}
    assert item["expires_at"] == {"N": str(int(NOW) + 7200)}


def test_a_stream_counts_its_attempts_in_the_ledger(aws: FakeClients, scorer: Scorer) -> None:
    event: dict[str, Any] = kinesis_event([reading(0)])
    aws.endpoint.failures = [aws_error("ThrottlingException")] * 3
    for _ in range(2):
        assert scorer(event, max_attempts=3) == ["100"]

    assert scorer(event, max_attempts=3) == []

    assert aws.queue.letters[0]["attempts"] == 3
    assert aws.queue.letters[0]["detail"] == "endpoint: ThrottlingException"


def test_more_readings_than_a_transaction_takes_are_claimed_in_parts(aws: FakeClients, scorer: Scorer) -> None:
    assert scorer(sqs_event([reading(i) for i in range(250)])) == []

    assert len(aws.ledger.items) == 250
    assert len(aws.endpoint.batches) == 1
