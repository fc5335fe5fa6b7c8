"""Deliver readings as SQS and Kinesis do: at least once, again after a failure or a death, with a clock that jumps."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.handlers.fakes import FakeClients
from tests.handlers.support import NOW, Scorer, kinesis_event, rule_output, sqs_record

BATCH = 100
VISIBILITY = 361.0  # seconds; six times the function's time plus the window, as the construct sets it
MOST_RECEIVES = 10  # attempts of the test settings plus the construct's margin of five
TRACE = 40  # characters


class Killed(BaseException):
    """Ends an invocation as Lambda's timeout or a lost machine does: nothing of ours runs after it."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One message that a device published."""

    number: int
    body: str
    key: str

    @staticmethod
    def of(number: int, value: Any) -> Sent:
        device = f"turbine-{number % 20}"
        record = rule_output(value, device=device, trace=f"t{number}")
        return Sent(number=number, body=json.dumps(record), key=f"{device}#r{number}")


@dataclass
class FakeSourceQueue:
    """A standard queue in front of the scorer, with a redrive policy. Delivers one batch at a time.

    Knows no retention, no long poll, and never delivers a message twice by itself.
    """

    clients: FakeClients
    scorer: Scorer
    order: Random
    unread: list[str] = field(default_factory=list)  # what SQS itself moved to the dead letters
    invocations: int = 0
    deaths: int = 0

    def deliver(self, sent: Iterable[Sent]) -> None:
        """Deliver until nothing is left; the clock goes on to the next visible message."""
        waiting = [(NOW, self.order.random(), number, 0, one) for number, one in enumerate(sent)]
        heapq.heapify(waiting)
        while waiting:
            self.scorer.now = max(self.scorer.now, waiting[0][0])
            batch = self._take(waiting)
            for _, _, number, receives, one in batch:
                entry = (self._due(number), self.order.random(), number, receives, one)
                if entry[0] > 0:
                    heapq.heappush(waiting, entry)

    def _take(self, waiting: list[Any]) -> list[Any]:
        batch: list[Any] = []
        while waiting and len(batch) < BATCH and waiting[0][0] <= self.scorer.now:
            at, dice, number, receives, one = heapq.heappop(waiting)
            if receives >= MOST_RECEIVES:
                self.unread.append(one.key)
            else:
                batch.append((at, dice, number, receives + 1, one))
        self._failed = self._invoke(batch)
        return batch

    def _invoke(self, batch: list[Any]) -> set[str]:
        if not batch:
            return set()
        self.invocations += 1
        self.clients.queue.pauses.clear()
        records = [sqs_record(one.body, number=number, attempts=receives) for _, _, number, receives, one in batch]
        try:
            return set(self.scorer({"Records": records}))
        except Killed:
            self.deaths += 1
            self.clients.queue.pauses.clear()
            return {record["messageId"] for record in records}

    def _due(self, number: int) -> float:
        """Return when a message is visible again; 0 when it was deleted."""
        if f"m{number}" not in self._failed:
            return 0.0
        return self.scorer.now + self.clients.queue.pauses.get(f"h{number}", VISIBILITY)


@dataclass
class FakeShard:
    """One shard with its event source mapping: in order, from the lowest failed record on. No bisection, no age."""

    scorer: Scorer
    invocations: int = 0
    deaths: int = 0

    def deliver(self, values: list[Any]) -> None:
        """Deliver until the position is at the end."""
        at = 0
        while at < len(values):
            self.invocations += 1
            event = kinesis_event(values[at : at + BATCH], first=at)
            try:
                failed = self.scorer(event)
            except Killed:
                self.deaths += 1
                failed = [str(at)]
            self.scorer.now += 1
            at = int(failed[0]) if failed else at + BATCH
