"""Every fault at ten thousand readings: each reading ends once, scored or dead-lettered."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from random import Random

import pytest

from tests.handlers.fakes import FakeClients
from tests.handlers.faults import suite
from tests.handlers.faults.accounts import CountingScorer, settle
from tests.handlers.faults.sources import FakeSourceQueue, Killed, Sent
from tests.handlers.faults.trouble import FaultyClient
from tests.handlers.support import NOW, reading, sqs_record

REPEATING = {"Lambda killed mid-batch", "S3 refused: replay"}


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("name", suite.CASES)
def test_every_reading_ends_exactly_once(name: str) -> None:
    row = suite.run(name)

    assert row.fault == name
    assert row.sent == suite.COUNT
    assert row.closes, row
    assert row.scored > 0
    assert row.repeated == 0 or name in REPEATING


def test_a_reading_that_is_lost_or_doubled_does_not_close() -> None:
    aws, sent = FakeClients(), {f"t{n}": f"turbine-{n}#r{n}" for n in range(4)}
    scorer = CountingScorer(aws)
    for n in (0, 1):
        scorer({"Records": [sqs_record(Sent.of(n, reading(n)).body)]})
    aws.queue.letters.append({"trace_id": "t1"})

    row = settle("any", sent, aws, scorer, what="")

    assert (row.scored, row.dead_lettered, row.lost, row.doubled, row.closes) == (2, 1, 2, 1, False)


def test_a_function_that_dies_while_it_acts_repeats_no_record_of_a_calm_reading() -> None:
    aws = FakeClients()
    scorer = CountingScorer(aws)
    aws.notify = FaultyClient(aws.notify, before=lambda name: Killed())  # type: ignore[assignment]
    records = [
        sqs_record(Sent.of(n, reading(n, temperature=60.0 if n == 3 else 20.0)).body, number=n) for n in range(9)
    ]
    with pytest.raises(Killed):
        scorer({"Records": records})
    aws.notify = FakeClients().notify
    scorer.now = NOW + 400

    assert scorer({"Records": records}) == []

    assert sorted(line["reading_id"] for line in aws.log.lines) == sorted([*(f"r{n}" for n in range(9)), "r3"])
    assert len(aws.notify.calls) == 1


def test_a_function_that_dies_between_two_parts_of_the_anomalies_repeats_only_the_second() -> None:
    aws = FakeClients()
    scorer, calls = CountingScorer(aws), iter(range(100))
    real = aws.notify
    aws.notify = FaultyClient(real, before=lambda name: Killed() if next(calls) == 10 else None)  # type: ignore[assignment]
    records = [sqs_record(Sent.of(n, reading(n, temperature=60.0)).body, number=n) for n in range(15)]
    with pytest.raises(Killed):
        scorer({"Records": records})
    scorer.now = NOW + 400

    assert scorer({"Records": records}) == []

    told = [json.loads(call["Message"])["alert_id"] for call in real.calls]
    assert len(told) == len(set(told)) == 15
    assert len(aws.log.lines) == 20


def test_what_the_queue_gave_up_although_it_was_scored_is_no_second_reading_when_it_is_redriven() -> None:
    aws = FakeClients()
    scorer = CountingScorer(aws)
    queue = FakeSourceQueue(clients=aws, scorer=scorer, order=Random(1))
    sent = [Sent.of(n, reading(n, temperature=60.0 if n == 0 else 20.0)) for n in range(9)]
    real = aws.notify
    aws.notify = FaultyClient(real, before=lambda name: Killed())  # type: ignore[assignment]
    queue.deliver(sent)
    assert sorted(queue.unread) == sorted(one.key for one in sent)
    aws.notify = real
    lines = {line["prediction_id"] for line in aws.log.lines}
    scorer.now += 400

    queue.deliver(sent)

    assert {line["prediction_id"] for line in aws.log.lines} == lines
    assert len(real.calls) == 1
    assert aws.queue.letters == []
