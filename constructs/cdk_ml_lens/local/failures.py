"""Failures of a simulated turbine: the kinds, where they are put, and what each does to the sensor values."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

WINDOW: Final = 30
"""Readings that one failure lasts."""

_MARGIN: Final = 5


class FailureKind(StrEnum):
    """What goes wrong in a simulated turbine."""

    BEARING_WEAR = "bearing_wear"
    OVERHEATING = "overheating"
    PRESSURE_LOSS = "pressure_loss"
    STUCK_SENSOR = "stuck_sensor"


@dataclass(frozen=True, kw_only=True)
class FailureWindow:
    """The readings ``start_index <= index < end_index`` of one device during which it fails."""

    device_id: str
    kind: FailureKind
    start_index: int
    end_index: int


def place_failures(*, devices: Sequence[str], length: int, failures: int, seed: int) -> list[FailureWindow]:
    """Spread failures over the devices so that no two of one device touch.

    Raises
    ------
    ValueError
        When ``length`` readings have no room for the failures of one device.
    """
    rng = random.Random(f"{seed}/failures")
    kinds = list(FailureKind)
    per_device = -(-failures // len(devices))
    slot = length // per_device if per_device else length
    if failures and slot < WINDOW + 2 * _MARGIN:
        raise ValueError(
            f"readings must be at least {per_device * (WINDOW + 2 * _MARGIN)} per device"
            f" for {failures} failures on {len(devices)} devices, got {length}"
        )
    windows = []
    for number in range(failures):
        turn, device = divmod(number, len(devices))
        start = turn * slot + rng.randint(_MARGIN, slot - WINDOW - _MARGIN)
        windows.append(
            FailureWindow(
                device_id=devices[device],
                kind=kinds[number % len(kinds)],
                start_index=start,
                end_index=start + WINDOW,
            )
        )
    return windows


def damaged(
    window: FailureWindow, *, index: int, healthy: Mapping[str, float], at_start: Mapping[str, float]
) -> dict[str, float]:
    """Return the values of one reading inside a failure window.

    Parameters
    ----------
    window
        The failure. Its effect grows from nothing at the first reading to its full size at the last.
    index
        Index of the reading.
    healthy
        What the sensors would have shown.
    at_start
        What they showed when the failure began: a stuck sensor repeats it.
    """
    progress = (index - window.start_index) / (window.end_index - window.start_index - 1)
    values = dict(healthy)
    if window.kind is FailureKind.BEARING_WEAR:
        values["vibration"] *= 1 + 0.8 * progress
        values["temperature"] += 4 * progress
    elif window.kind is FailureKind.OVERHEATING:
        values["temperature"] += 25 * progress
    elif window.kind is FailureKind.PRESSURE_LOSS:
        values["pressure"] *= 1 - 0.4 * progress
    else:
        values["rotation_speed"] = at_start["rotation_speed"]
    return values
