"""What the lake's demo streams: recent readings of a simulated fleet, and every kind of reading that must not pass."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from cdk_ml_lens.local import simulator
from cdk_ml_lens.local.demo_plan import RESEND_EACH, Outgoing, Plan, prediction_id
from cdk_ml_lens.local.poison import poisons
from cdk_ml_lens.local.readings import Reading

SPACING_SECONDS = 10.0
LONGEST_SECONDS = 3000.0
"""From the first reading to now; the stack refuses what is an hour late."""

NOT_A_ROW = frozenset({"not_finite", "wrong_type", "not_json", "not_an_object", "bad_encoding"})
"""Reasons for which the delivery stream refuses a record; a missing value is a null and becomes a row."""


@dataclass(frozen=True, kw_only=True)
class LakePlan:
    """What is streamed, and what has to become of it.

    Attributes
    ----------
    plan : Plan
        The messages.
    refused : int
        Messages that cannot become rows.
    reasons : Counter
        Rows that cleaning has to quarantine, by reason.
    """

    plan: Plan
    refused: int
    reasons: Counter[str]

    @property
    def sent(self) -> int:
        """Messages, those sent twice counted twice."""
        return len(self.plan.outgoing)


def plan(*, devices: int, readings: int, seed: int, now: datetime) -> LakePlan:
    """Plan a fleet whose devices hand in the last minutes at once, with trouble in between.

    Parameters
    ----------
    devices, readings : int
        How many devices, and readings of each.
    seed : int
        Of the simulation.
    now : datetime
        Time of the last reading.
    """
    series = simulator.simulate(devices=devices, readings_per_device=readings, failures=0, seed=seed).readings
    spacing = min(SPACING_SECONDS, LONGEST_SECONDS / readings)
    recent = [
        replace(each, timestamp=_text(now - (readings - each.index) * timedelta(seconds=spacing))) for each in series
    ]
    messages = list(_messages(recent, now))
    refused = sum(message.reason in NOT_A_ROW for message in messages)
    reasons = Counter(m.reason for m in messages if m.reason is not None and m.reason not in NOT_A_ROW)
    made = Plan(
        title=f"simulated turbines, seed {seed}, {readings} readings each up to now",
        mode="simulated",
        features=simulator.FEATURES,
        training=(),
        rows=0,
        quantile=0.0,
        outgoing=messages,
        windows=(),
    )
    return LakePlan(plan=made, refused=refused, reasons=reasons)


def _messages(readings: Sequence[Reading], now: datetime) -> Iterator[Outgoing]:
    """Yield each reading, some of them twice, and each device's last one broken in every way."""
    for number, reading in enumerate(readings, start=1):
        yield _outgoing(reading)
        if number % RESEND_EACH == 0:
            yield _outgoing(reading, kind="again", reason="duplicate")
    for reading in {each.device_id: each for each in readings}.values():
        for number, poison in enumerate(poisons(reading)):
            # Without its first sensor, it is a second row of the same moment.
            reason = "duplicate" if poison.reason == "missing_feature" else poison.reason
            key = f"{prediction_id(reading)}-poison-{number}"
            yield Outgoing(device_id=reading.device_id, body=poison.body, key=key, reason=reason)
        yield from _impossible(reading, now)


def _impossible(reading: Reading, now: datetime) -> Iterator[Outgoing]:
    nothing = dict.fromkeys(reading.features)
    changes: dict[str, dict[str, object]] = {
        "late": {"timestamp": _text(now - timedelta(hours=2))},
        "in_future": {"timestamp": _text(now + timedelta(hours=1))},
        "out_of_range": {"timestamp": _text(now - timedelta(milliseconds=1)), "temperature": 1e6},
        "no_value": {"timestamp": _text(now - timedelta(milliseconds=2)), **nothing},
    }
    for reason, change in changes.items():
        body = {**json.loads(reading.body()), "reading_id": f"{reading.reading_id}-{reason}", **change}
        key = f"{prediction_id(reading)}-{reason}"
        yield Outgoing(device_id=reading.device_id, body=json.dumps(body).encode(), key=key, reason=reason)


def _outgoing(reading: Reading, *, kind: str = "", reason: str | None = None) -> Outgoing:
    return Outgoing(
        device_id=reading.device_id, body=reading.body(), key=f"{prediction_id(reading)}{kind}", reason=reason
    )


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
