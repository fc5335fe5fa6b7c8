"""What the loop's demo streams: a healthy history, healthy traffic, and traffic of sensors that have shifted."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cdk_ml_lens.local.demo_plan import Outgoing, Plan, prediction_id
from cdk_ml_lens.local.readings import Reading
from cdk_ml_lens.local.simulator import FEATURES, Turbine

SPACING_SECONDS = 10
HURRY = 7
"""A reading is so many of the simulation's: the turbine's day then lasts 14 readings, so each stretch has several."""

SHIFT: Mapping[str, float] = {"temperature": 12.0, "vibration": 0.8}
"""What every sensor of a kind adds after the shift, °C and mm/s: a change of the season, or of the sensors."""


@dataclass(frozen=True, kw_only=True)
class LoopPlan:
    """Three stretches of time, one after the other, that end now.

    Attributes
    ----------
    devices : sequence of str
        Names of the turbines.
    history, quiet, shifted : Plan
        Messages in the order in which they are sent.
    """

    devices: Sequence[str]
    history: Plan
    quiet: Plan
    shifted: Plan


def plan(*, devices: int, seed: int, now: datetime, lengths: tuple[int, int, int] = (120, 50, 180)) -> LoopPlan:
    """Plan a fleet without failures.

    Parameters
    ----------
    devices : int
        How many turbines.
    seed : int
        Of the simulation.
    now : datetime
        Time of the last reading; no reading may be older than an hour when it is sent.
    lengths : tuple of int
        Readings of each device in each stretch, one per ten seconds.
    """
    names = [f"turbine-{number + 1:02d}" for number in range(devices)]
    total = sum(lengths)
    series = {name: _series(Turbine.make(name, seed=seed), total, now=now, sound=total - lengths[2]) for name in names}
    bounds = (0, lengths[0], lengths[0] + lengths[1], total)
    parts = [
        _plan(label, [series[name][index] for index in range(first, last) for name in names])
        for label, (first, last) in zip(("history", "quiet", "shifted"), itertools.pairwise(bounds), strict=True)
    ]
    return LoopPlan(devices=names, history=parts[0], quiet=parts[1], shifted=parts[2])


def _series(turbine: Turbine, length: int, *, now: datetime, sound: int) -> list[Reading]:
    readings = []
    hurried = itertools.islice(turbine.healthy(), 0, None, HURRY)
    for index, values in zip(range(length), hurried, strict=False):
        at = now - timedelta(seconds=SPACING_SECONDS * (length - index))
        added = SHIFT if index >= sound else {}
        readings.append(
            Reading(
                device_id=turbine.device_id,
                index=index,
                timestamp=at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                features={name: round(value + added.get(name, 0.0), 4) for name, value in values.items()},
            )
        )
    return readings


def _plan(label: str, readings: Sequence[Reading]) -> Plan:
    messages = [Outgoing(device_id=each.device_id, body=each.body(), key=prediction_id(each)) for each in readings]
    return Plan(
        title=label,
        mode="simulated",
        features=FEATURES,
        training=(),
        rows=0,
        quantile=0.0,
        outgoing=messages,
        windows=(),
    )
