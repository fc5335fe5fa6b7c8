"""Faults of the scorer with window features: out of order, and an S3 that refuses the normalisation artifact."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any

from tests.handlers.fakes import aws_error
from tests.handlers.faults.accounts import Row
from tests.handlers.faults.cases import THROTTLED, Stage
from tests.handlers.faults.fake_window import FakeWindowTable
from tests.handlers.faults.sources import Sent
from tests.handlers.faults.trouble import FaultyClient, refuse
from tests.handlers.support import NOW, rule_output
from tests.handlers.window_support import feature, settings

FEATURES = (
    feature("temperature", "value"),
    feature("mean", "mean", 300),
    feature("gap", "seconds_since_last", 300, null_value=300.0),
)
PARAMETERS = {
    "version": "1",
    "method": "standard",
    "all": {"temperature": [20.0, 1.0], "pressure": [0.0, 1.0]},
    "devices": {},
}


class FakeArtifacts:
    """S3 with one object. Knows no bucket, no version, no other call."""

    def get_object(self, **_: Any) -> dict[str, Any]:
        return {"Body": io.BytesIO(json.dumps(PARAMETERS).encode())}


def out_of_order(count: int) -> Row:
    """Readings of 20 devices shuffled over an hour: the window takes each where it belongs."""
    stage, sent = _stage(21), _fleet(count)
    stage.scorer.settings = _settings("none")
    refuse(stage.clients, "window", *THROTTLED, share=0.01, dice=stage.dice)
    shuffled = list(sent)
    stage.dice.shuffle(shuffled)
    stage.queue.deliver([*shuffled, *shuffled[::2]])
    return stage.close("out of order, with windows", sent, "shuffled over an hour, half of them twice, 1% throttled")


def s3_refused(count: int) -> Row:
    """The artifact cannot be read for the first thirty calls, and every process reads it anew."""
    stage, sent = _stage(22), _fleet(count)
    stage.scorer.settings = _settings("standard")
    calls = 0

    def before(name: str) -> Exception | None:
        nonlocal calls
        calls += 1
        return aws_error(stage.dice.choice(["AccessDenied", "SlowDown", "InternalError"])) if calls <= 30 else None

    stage.clients.artifacts = FaultyClient(FakeArtifacts(), before=before)
    stage.queue.deliver(sent)
    return stage.close(
        "S3 refused: normalisation artifact", sent, "the first 30 reads refused; {invocations} invocations"
    )


def _stage(seed: int) -> Stage:
    stage = Stage(seed)
    stage.clients.window = FakeWindowTable()
    return stage


def _settings(method: str) -> Any:
    made = settings(*FEATURES, normalisation={"method": method, "per": "device"})
    assert made.windows is not None
    if method == "none":
        return replace(made, actions=())
    return replace(made, actions=(), windows=replace(made.windows, bucket="artifacts", key="normalisation/1.json"))


def _fleet(count: int) -> list[Sent]:
    return [_sent(number, Random(number)) for number in range(count)]


def _sent(number: int, dice: Random) -> Sent:
    made = NOW - 3000 + number // 20 * (2900 * 20 / 10_000)
    value = {"reading_id": f"r{number}", "timestamp": datetime.fromtimestamp(made, UTC).isoformat()}
    sent = Sent.of(number, value)
    record = rule_output(
        value | {"temperature": dice.gauss(20, 2)}, device=f"turbine-{number % 20}", trace=f"t{number}"
    )
    return replace(sent, body=json.dumps(record | {"received_at": round((made + dice.uniform(0, 50)) * 1000)}))


CASES: Sequence[Any] = (out_of_order, s3_refused)
