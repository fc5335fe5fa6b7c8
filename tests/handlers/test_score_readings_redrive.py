"""A dead letter can be redriven: after a repair the reading in the envelope is scored, once."""

from __future__ import annotations

import json

import pytest

from tests.handlers.fakes import FakeClients
from tests.handlers.support import Scorer, reading, sqs_event, sqs_record


@pytest.fixture
def clients() -> FakeClients:
    return FakeClients()


def redrive(clients: FakeClients, *, number: int = 50) -> dict[str, object]:
    """Move every dead letter back to the queue, as StartMessageMoveTask does: same body, new message."""
    letters, clients.queue.letters = clients.queue.letters, []
    return {"Records": [sqs_record(json.dumps(letter), number=number + i) for i, letter in enumerate(letters)]}


def test_reading_is_scored_after_the_repair_though_its_failure_is_in_the_ledger(clients: FakeClients) -> None:
    scorer = Scorer(clients)
    assert scorer(sqs_event([reading(0, pressure=900.0)])) == []
    assert clients.queue.reasons == ["out_of_range"]
    repaired = redrive(clients)
    assert scorer(repaired, features=scorer.settings.features[:1]) == []
    assert [line["reading_id"] for line in clients.log.lines] == ["r0"]
    assert clients.queue.reasons == []


def test_redriven_message_delivered_twice_is_scored_once(clients: FakeClients) -> None:
    scorer = Scorer(clients)
    scorer(sqs_event([reading(0, pressure=900.0)]))
    repaired = redrive(clients)
    for _ in range(2):
        scorer(repaired, features=scorer.settings.features[:1])
    assert len(clients.log.lines) == 1


def test_bytes_that_are_no_text_survive_the_way_back(clients: FakeClients) -> None:
    scorer = Scorer(clients)
    scorer(sqs_event([b"\xff\xfe\x00"]))
    scorer(redrive(clients))
    (envelope,) = clients.queue.letters
    assert (envelope["reason"], envelope["payload_base64"]) == ("bad_encoding", "//4A")
    assert envelope["device_id"] == "turbine-1"


def test_reading_that_fails_again_is_dead_lettered_again(clients: FakeClients) -> None:
    scorer = Scorer(clients)
    scorer(sqs_event([reading(0, pressure=900.0)]))
    scorer(redrive(clients))
    scorer(redrive(clients, number=60))
    assert clients.queue.reasons == ["out_of_range"]
