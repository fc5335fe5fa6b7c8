"""Every reading once: duplicates, leases, crashes."""

from __future__ import annotations

import json
from typing import Any

import pytest

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
