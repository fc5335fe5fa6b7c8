"""Simulated turbines: seeded readings that follow a load cycle, with labelled failures. None is measured."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cdk_ml_lens.local.failures import FailureKind, FailureWindow, damaged, place_failures
from cdk_ml_lens.local.readings import Reading

FEATURES: Final = ("temperature", "vibration", "pressure", "rotation_speed")
"""Names of the simulated sensors: °C, mm/s (RMS), bar, revolutions per minute."""

READINGS_PER_DAY: Final = 96
"""One reading each 15 simulated minutes; the load cycle of a turbine lasts one simulated day."""

_FIRST_READING: Final = datetime(2025, 1, 1, tzinfo=UTC)
_TRAINING_TURBINES: Final = 12


@dataclass(frozen=True, kw_only=True)
class Turbine:
    """One simulated turbine: its place in the load cycle, and how far its sensors are off.

    Parameters
    ----------
    device_id
        Name of the turbine.
    seed
        Seed of its noise.
    phase
        Start in the load cycle, radians.
    warm_offset, shake_offset
        Constant deviation of the temperature (°C) and vibration (mm/s) sensors.
    """

    device_id: str
    seed: int
    phase: float
    warm_offset: float
    shake_offset: float

    @classmethod
    def make(cls, device_id: str, *, seed: int) -> Turbine:
        """Return a turbine whose individual traits follow from the seed."""
        rng = random.Random(f"{seed}/{device_id}")
        return cls(
            device_id=device_id,
            seed=rng.getrandbits(32),
            phase=rng.uniform(0, 2 * math.pi),
            warm_offset=rng.gauss(0, 0.5),
            shake_offset=rng.gauss(0, 0.03),
        )

    def healthy(self) -> Iterator[dict[str, float]]:
        """Yield the sensor values of a healthy turbine, without end."""
        rng = random.Random(self.seed)
        demand, temperature = 0.0, math.nan
        for index in range(10**9):
            demand = 0.9 * demand + rng.gauss(0, 0.015)
            load = min(1.0, max(0.2, self._cycle(index) + demand))
            speed = 1100 + 600 * load
            settled = 38 + 48 * load
            temperature = settled if index == 0 else temperature + 0.35 * (settled - temperature)
            yield {
                "temperature": temperature + self.warm_offset + rng.gauss(0, 0.5),
                "vibration": 0.8 + 1.9 * (speed / 1700) ** 2 + self.shake_offset + rng.gauss(0, 0.06),
                "pressure": 4 + 14 * load**1.3 + rng.gauss(0, 0.15),
                "rotation_speed": speed + rng.gauss(0, 6),
            }

    def _cycle(self, index: int) -> float:
        angle = 2 * math.pi * index / READINGS_PER_DAY + self.phase
        return 0.65 + 0.25 * math.sin(angle) + 0.06 * math.sin(3.7 * angle)


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """Simulated readings in the order in which the fleet sends them, and the failures that were put in."""

    readings: Sequence[Reading]
    windows: Sequence[FailureWindow]


def simulate(*, devices: int, readings_per_device: int, failures: int, seed: int) -> Simulation:
    """Simulate a fleet of turbines with failures.

    Parameters
    ----------
    devices, readings_per_device, failures
        Counts; the failures are spread evenly over the devices, of each kind in turn.
    seed
        Same seed, same simulation.

    Raises
    ------
    ValueError
        When the devices have no room for so many failures.
    """
    names = [f"turbine-{number + 1:02d}" for number in range(devices)]
    windows = place_failures(devices=names, length=readings_per_device, failures=failures, seed=seed)
    series = []
    for name in names:
        own = [window for window in windows if window.device_id == name]
        series.append(_series(Turbine.make(name, seed=seed), own, length=readings_per_device))
    return Simulation(readings=[reading for tick in zip(*series, strict=True) for reading in tick], windows=windows)


def training_set(*, seed: int, rows: int) -> list[Reading]:
    """Return at least ``rows`` readings of healthy turbines, one turbine after the other.

    The turbines are not those of `simulate`, even for the same seed: names, and so traits and noise, differ.
    """
    length = math.ceil(rows / _TRAINING_TURBINES)
    turbines = [Turbine.make(f"training-{number + 1:02d}", seed=seed) for number in range(_TRAINING_TURBINES)]
    return [reading for turbine in turbines for reading in _series(turbine, [], length=length)]


def _series(turbine: Turbine, windows: Sequence[FailureWindow], *, length: int) -> list[Reading]:
    readings: list[Reading] = []
    frozen: dict[str, float] = {}
    for index, healthy in zip(range(length), turbine.healthy(), strict=False):
        window = next((w for w in windows if w.start_index <= index < w.end_index), None)
        if window is None or index == window.start_index:
            frozen = healthy
        values = healthy if window is None else damaged(window, index=index, healthy=healthy, at_start=frozen)
        moment = _FIRST_READING + timedelta(days=index / READINGS_PER_DAY)
        readings.append(
            Reading(
                device_id=turbine.device_id,
                index=index,
                timestamp=moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
                features={name: round(value, 4) for name, value in values.items()},
            )
        )
    return readings


__all__ = ["FEATURES", "FailureKind", "FailureWindow", "Simulation", "Turbine", "simulate", "training_set"]
