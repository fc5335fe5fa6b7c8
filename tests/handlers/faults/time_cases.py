"""Faults of time: an endpoint that is gone for a while, and clocks that are wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from tests.handlers.faults.accounts import CountingScorer, Row
from tests.handlers.faults.cases import THROTTLED, Stage, fleet
from tests.handlers.faults.sources import Sent
from tests.handlers.faults.trouble import refuse
from tests.handlers.support import reading, rule_output


def endpoint_deleted(count: int) -> Row:
    stage, sent = Stage(10), fleet(count)
    _without_endpoint(stage, sent)
    return stage.close("endpoint deleted", sent, "gone for the first half of the readings; each dead letter has it")


def endpoint_recreated(count: int) -> Row:
    stage, sent = Stage(10), fleet(count)
    _without_endpoint(stage, sent)
    letters = list(stage.clients.queue.letters)
    stage.clients.queue.letters.clear()
    moved = [Sent(number=count + n, body=json.dumps(letter), key="") for n, letter in enumerate(letters)]
    stage.queue.deliver(moved)
    stage.queue.deliver(moved)  # a redrive that is started twice
    return stage.close("endpoint deleted, redriven", sent, f"made again, {len(moved)} dead letters redriven, twice")


def _without_endpoint(stage: Stage, sent: Sequence[Sent]) -> None:
    real = stage.clients.endpoint
    refuse(stage.clients, "endpoint", "ValidationError", share=1, dice=stage.dice)
    stage.queue.deliver(sent[: len(sent) // 2])
    stage.clients.endpoint = real
    stage.queue.deliver(sent[len(sent) // 2 :])


def clock_skew(count: int) -> Row:
    """Devices years off, and functions whose clocks differ by more than the pause between two deliveries."""
    stage, dice = Stage(11), Random(11)
    years = ["1970-01-01T00:00:00Z", "2106-02-07T06:28:15Z", "2026-13-45", "", "now", None]
    sent = [
        replace(one, body=_restamped(number, dice.choice(years), dice.choice([0, -1, 10**15, 1, 4_102_444_800_000])))
        for number, one in enumerate(fleet(count))
    ]
    refuse(stage.clients, "endpoint", *THROTTLED, share=0.2, dice=stage.dice)
    real = stage.queue.scorer

    def skewed(event: Any) -> list[str]:
        right = real.now
        real.now = right + dice.uniform(-300, 300)
        try:
            return real(event)
        finally:
            real.now = right

    stage.queue.scorer = _Skewed(real, skewed)  # type: ignore[assignment]
    stage.queue.deliver([*sent, *sent])
    return stage.close("clock skew", sent, "devices off by decades, functions by up to 5 min, every message twice")


def _restamped(number: int, timestamp: Any, received_at: int) -> str:
    value = reading(number, temperature=20.0 + number % 7, timestamp=timestamp)
    record = rule_output(value, device=f"turbine-{number % 20}", trace=f"t{number}")
    return json.dumps(record | {"received_at": received_at})


class _Skewed:
    """The scorer on a machine whose clock is wrong; the queue goes by the right one."""

    def __init__(self, real: CountingScorer, call: Callable[[Any], list[str]]) -> None:
        self._real, self._call = real, call

    def __call__(self, event: Any) -> list[str]:
        return self._call(event)

    @property
    def now(self) -> float:
        return self._real.now

    @now.setter
    def now(self, value: float) -> None:
        self._real.now = value
