"""What the fault suite sends: readings of simulated turbines, each with an id that no other fault uses."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Sequence
from dataclasses import replace

from cdk_ml_lens.local import simulator
from cdk_ml_lens.local.demo_plan import Outgoing, prediction_id
from cdk_ml_lens.local.poison import poisons
from cdk_ml_lens.local.readings import Reading

DEVICES = 5
CLOCKS = ("1970-01-01T00:00:00Z", "2106-02-07T06:28:15Z", "2026-13-45T99:00:00Z", "now", "")


def readings(count: int, *, first: int) -> list[Reading]:
    """Return readings of a healthy fleet whose indices begin at ``first``; a few are anomalies by chance."""
    each = -(-count // DEVICES)
    made = simulator.simulate(devices=DEVICES, readings_per_device=each, failures=0, seed=first).readings
    return [replace(reading, index=first + reading.index) for reading in made[:count]]


def good(some: Sequence[Reading]) -> list[Outgoing]:
    """Return one message per reading."""
    return [Outgoing(device_id=reading.device_id, body=reading.body(), key=prediction_id(reading)) for reading in some]


def poisoned(some: Sequence[Reading]) -> list[Outgoing]:
    """Return messages of which every fifth is broken, in all ways in turn."""
    messages = good(some)
    for number in range(0, len(messages), 5):
        kinds = poisons(some[number])
        kind = kinds[number // 5 % len(kinds)]
        key = f"{prediction_id(some[number])}-poison"
        messages[number] = replace(messages[number], body=kind.body, key=key, reason=kind.reason)
    return messages


def skewed(some: Sequence[Reading], *, dice: random.Random) -> list[Outgoing]:
    """Return messages whose clocks are off by decades, or are no clocks."""
    return good([replace(reading, timestamp=dice.choice(CLOCKS)) for reading in some])


def rule_output(message: Outgoing, *, number: int, received_at: int) -> str:
    """Return what the topic rule writes to the queue for a message, for the share that is put there directly."""
    return json.dumps(
        {
            "payload": base64.b64encode(message.body).decode(),
            "device_id": message.device_id,
            "received_at": received_at,
            "trace_id": f"{message.key}-{number}"[:128],
        }
    )
