"""The faults of the scorer: each sends so many readings into trouble and returns its closed accounts."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from botocore.exceptions import ConnectionClosedError, IncompleteReadError, ReadTimeoutError

from tests.handlers.fakes import FakeClients, model_error
from tests.handlers.faults.accounts import CountingScorer, Row, settle
from tests.handlers.faults.sources import FakeShard, FakeSourceQueue, Sent
from tests.handlers.faults.trouble import FaultyClient, kill, refuse
from tests.handlers.support import reading, sqs_record
from tests.handlers.test_score_readings_ten_thousand import POISONS

Case = Callable[[int], Row]
THROTTLED = ("ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded")


@dataclass
class Stage:
    """Clients, scorer, source and dice of one fault."""

    seed: int
    clients: FakeClients = field(default_factory=FakeClients)

    def __post_init__(self) -> None:
        self.dice = Random(self.seed)
        self.scorer = CountingScorer(self.clients)
        self.queue = FakeSourceQueue(clients=self.clients, scorer=self.scorer, order=Random(self.seed))

    def close(self, fault: str, sent: Sequence[Sent], what: str) -> Row:
        traces = {f"t{one.number}": one.key for one in sent}
        what = what.format(invocations=self.queue.invocations, deaths=self.queue.deaths)
        return settle(fault, traces, self.clients, self.scorer, unread=self.queue.unread, what=what)


def fleet(count: int) -> list[Sent]:
    """Return good readings; every fiftieth is an anomaly."""
    return [Sent.of(n, reading(n, temperature=60.0 if n % 50 == 0 else 20.0 + n % 7)) for n in range(count)]


def poison(count: int) -> Row:
    stage, kinds = Stage(1), [*POISONS]
    sent = fleet(count)
    for number in range(0, count, 10):
        kind = kinds[number // 10 % len(kinds)]
        sent[number] = _poisoned(number, kind)
    stage.queue.deliver(sent)
    return stage.close("poison message", sent, f"every tenth reading broken, in {len(kinds)} ways")


def _poisoned(number: int, kind: str) -> Sent:
    broken = Sent.of(number, POISONS[kind][1](reading(number)))
    if kind != "not base64":
        return broken
    return replace(broken, body=json.dumps(json.loads(broken.body) | {"payload": f"{number}%"}))


def endpoint_errors(count: int) -> Row:
    stage, sent = Stage(2), fleet(count)

    def before(name: str) -> Exception | None:
        return model_error(stage.dice.choice([500, 502, 503])) if stage.dice.random() < 0.5 else None

    stage.clients.endpoint = FaultyClient(stage.clients.endpoint, before=before)  # type: ignore[assignment]
    stage.queue.deliver(sent)
    return stage.close("endpoint 5xx", sent, "half of all calls answered 500, 502 or 503; {invocations} invocations")


def throttled(service: str, name: str, share: float, operation: str | None = None) -> Case:
    """Return a case that refuses a share of the calls to a service."""

    def case(count: int) -> Row:
        stage, sent = Stage(3), fleet(count)
        refuse(stage.clients, service, *THROTTLED, share=share, dice=stage.dice, operation=operation)
        stage.queue.deliver(sent)
        return stage.close(
            f"throttling: {name}", sent, f"{share:.0%} of the calls refused; {{invocations}} invocations"
        )

    return case


def throttled_dead_letters(count: int) -> Row:
    """SQS throttled where the scorer calls it: dead letters of broken readings, pauses of refused ones."""
    stage, kinds = Stage(4), [*POISONS]
    sent = [_poisoned(n, kinds[n % len(kinds)]) if n % 2 else one for n, one in enumerate(fleet(count))]
    refuse(stage.clients, "queue", "RequestThrottled", "KmsThrottled", share=0.4, dice=stage.dice)
    refuse(stage.clients, "endpoint", *THROTTLED, share=0.2, dice=stage.dice)
    stage.queue.deliver(sent)
    return stage.close("throttling: SQS", sent, "40% of SQS calls refused, every other reading broken")


def throttled_stream(count: int) -> Row:
    """A shard whose consumer is throttled everywhere: the order stays, what was done is not repeated."""
    stage = Stage(5)
    values = [reading(n, temperature=20.0 + n % 7) for n in range(count)]
    for service in ("endpoint", "log", "ledger"):
        refuse(stage.clients, service, *THROTTLED, share=0.15, dice=stage.dice)
    shard = FakeShard(scorer=stage.scorer)
    shard.deliver(values)
    # The trace of a record restarts with each event, so the accounts go by the device's own id.
    keys = {f"turbine-1#r{n}": f"turbine-1#r{n}" for n in range(count)}
    for letter in stage.clients.queue.letters:
        letter["trace_id"] = f"turbine-1#{letter['reading_id']}"
    what = f"15% of endpoint, log and ledger calls refused on a shard; {shard.invocations} invocations"
    return settle("throttling: Kinesis", keys, stage.clients, stage.scorer, what=what)


def model_killed(count: int) -> Row:
    """The model's process dies while it answers: no answer, half an answer, or an answer that stops in the middle."""
    stage, sent = Stage(6), fleet(count)
    whole = stage.clients.endpoint.lines

    def before(name: str) -> Exception | None:
        errors = [
            ConnectionClosedError(endpoint_url="https://runtime"),
            ReadTimeoutError(endpoint_url="https://runtime"),
            IncompleteReadError(actual_bytes=7, expected_bytes=4096),
            model_error(500),
        ]
        return stage.dice.choice(errors) if stage.dice.random() < 0.3 else None

    def lines(rows: list[list[float]]) -> list[str]:
        answer = whole(rows)
        if len(rows) > 1 and stage.dice.random() < 0.2:
            return [*answer[: len(rows) // 2], answer[0][:5]]
        return answer

    stage.clients.endpoint.lines = lines
    stage.clients.endpoint = FaultyClient(stage.clients.endpoint, before=before)  # type: ignore[assignment]
    stage.queue.deliver(sent)
    return stage.close("model process killed mid-batch", sent, "30% of calls broken off, 20% of answers cut short")


def lambda_killed(count: int) -> Row:
    stage, sent = Stage(7), fleet(count)
    kill(stage.clients, share=0.05, dice=stage.dice)
    stage.queue.deliver(sent)
    what = "killed before or after every twentieth call: {deaths} deaths in {invocations} invocations"
    return stage.close("Lambda killed mid-batch", sent, what)


def duplicates(count: int) -> Row:
    """Each message three times, shuffled, and once more in the middle of its own scoring."""
    stage, sent = Stage(8), fleet(count)
    inner = CountingScorer(stage.clients)

    def before(name: str) -> None:
        if stage.dice.random() < 0.2 and not inner.total["asked"]:
            inner.total["asked"] = 1
            inner.now = stage.scorer.now + stage.dice.uniform(0, 60)
            some = stage.dice.sample(sent, 20)
            inner({"Records": [sqs_record(one.body, number=one.number) for one in some]})
            inner.total["asked"] = 0

    stage.clients.endpoint = FaultyClient(stage.clients.endpoint, before=before)  # type: ignore[assignment]
    again = [one for one in sent for _ in range(3)]
    stage.queue.deliver(again)
    return stage.close("duplicates", sent, "every message three times, some of them while they were being scored")


def out_of_order(count: int) -> Row:
    stage, sent = Stage(9), fleet(count)
    shuffled = list(sent)
    stage.dice.shuffle(shuffled)
    refuse(stage.clients, "endpoint", *THROTTLED, share=0.2, dice=stage.dice)
    stage.queue.deliver(shuffled)
    return stage.close("out of order", sent, "shuffled over the whole run, a fifth of all calls throttled")
