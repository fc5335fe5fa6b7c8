"""Ten thousand readings, one per cent poisoned in each way: every one scored exactly once or dead-lettered."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from tests.handlers.fakes import FakeClients
from tests.handlers.support import Scorer, payload, reading, rule_output, sqs_record

COUNT, BATCH, PERCENT = 10_000, 100, 100
Poison = Callable[[dict[str, Any]], Any]


def _without(good: dict[str, Any]) -> Any:
    return {name: value for name, value in good.items() if name != "pressure"}


def _token(token: str) -> Poison:
    return lambda good: payload(good | {"temperature": "@"}).replace(b'"@"', token.encode())


POISONS: dict[str, tuple[str, Poison]] = {
    "missing feature": ("missing_feature", _without),
    "text": ("wrong_type", lambda good: good | {"temperature": "warm"}),
    "numeric text": ("wrong_type", lambda good: good | {"temperature": "20.0"}),
    "boolean": ("wrong_type", lambda good: good | {"temperature": True}),
    "null": ("wrong_type", lambda good: good | {"temperature": None}),
    "NaN": ("not_finite", _token("NaN")),
    "+inf": ("not_finite", _token("Infinity")),
    "-inf": ("not_finite", _token("-Infinity")),
    "1e999": ("not_finite", _token("1e999")),
    "huge integer": ("not_finite", _token("9" * 3000)),
    "absurd value": ("out_of_range", lambda good: good | {"temperature": 1e30}),
    "too large": ("too_large", lambda good: good | {"note": "x" * 5000}),
    "not UTF-8": ("bad_encoding", lambda good: payload(good) + b"\xff\xfe"),
    "UTF-16": ("bad_encoding", lambda good: json.dumps(good).encode("utf-16")),
    "not base64": ("bad_encoding", lambda good: None),
    "not JSON": ("not_json", lambda good: payload(good)[:-1]),
    "deep": ("not_json", _token("[" * 1500 + "]" * 1500)),
    "not an object": ("not_an_object", lambda good: [good]),
}


def _plan() -> list[str | None]:
    """Return the poison of each reading, None for a good one; one per cent for each, shuffled by a seed."""
    plan: list[str | None] = [name for name in POISONS for _ in range(PERCENT)]
    plan += [None] * (COUNT - len(plan))
    Random(20_260_801).shuffle(plan)
    return plan


def _message(number: int, poison: str | None) -> dict[str, Any]:
    good = reading(number, temperature=60.0 if number % 50 == 0 else 20.0 + number % 7)
    value = good if poison is None else POISONS[poison][1](good)
    record = rule_output(value, device=f"turbine-{number % 20}", trace=f"t{number}")
    if poison == "not base64":
        record["payload"] = f"{number}%"
    return sqs_record(json.dumps(record), number=number)


def _deliver(scorer: Scorer, messages: list[dict[str, Any]]) -> list[str]:
    parts = [messages[i : i + BATCH] for i in range(0, len(messages), BATCH)]
    return [failed for part in parts for failed in scorer({"Records": part})]


@pytest.fixture(scope="module")
def delivered() -> tuple[FakeClients, Scorer, list[dict[str, Any]], list[str | None]]:
    """Deliver all readings once."""
    aws, plan = FakeClients(), _plan()
    scorer = Scorer(aws)
    messages = [_message(number, poison) for number, poison in enumerate(plan)]
    assert _deliver(scorer, messages) == []
    return aws, scorer, messages, plan


Delivered = tuple[FakeClients, Scorer, list[dict[str, Any]], list[str | None]]


def test_every_good_reading_is_scored_exactly_once_with_its_own_score(delivered: Delivered) -> None:
    aws, _, _, plan = delivered

    assert Counter(line["reading_id"] for line in aws.log.lines) == Counter(
        f"r{number}" for number, poison in enumerate(plan) if poison is None
    )
    for line in aws.log.lines:
        assert line["score"] == abs(line["features"]["temperature"] - 20)
        assert line["device_id"] == f"turbine-{int(line['reading_id'][1:]) % 20}"
        assert line["reading"]["temperature"] == line["features"]["temperature"]


def test_every_poisoned_reading_is_dead_lettered_exactly_once_with_its_reason(delivered: Delivered) -> None:
    aws, _, _, plan = delivered

    assert sorted((letter["message_id"], letter["reason"]) for letter in aws.queue.letters) == sorted(
        (f"m{number}", POISONS[poison][0]) for number, poison in enumerate(plan) if poison is not None
    )


def test_every_anomaly_is_told_and_commanded_exactly_once(delivered: Delivered) -> None:
    aws, _, _, plan = delivered
    hot = Counter(f"turbine-{n % 20}#r{n}" for n in range(0, COUNT, 50) if plan[n] is None)

    assert Counter(json.loads(call["Message"])["alert_id"] for call in aws.notify.calls) == hot
    assert Counter(json.loads(call["payload"])["alert_id"] for call in aws.command.calls) == hot


def test_a_batch_takes_one_endpoint_call(delivered: Delivered) -> None:
    aws, _, _, _ = delivered

    assert len(aws.endpoint.batches) == COUNT // BATCH


def test_duplicate_delivery_of_every_message_changes_nothing(delivered: Delivered) -> None:
    aws, scorer, messages, _ = delivered
    before, calls = aws.state(), len(aws.endpoint.batches)
    again = [dict(message) for message in messages]
    Random(7).shuffle(again)

    assert _deliver(scorer, again) == []

    assert aws.state() == before
    assert len(aws.endpoint.batches) == calls
