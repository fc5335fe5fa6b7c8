"""Random series of one device, as they arrive: gaps, nulls, duplicates, late and out-of-order arrivals, poison."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

START = 1_767_225_600_000  # 2026-01-01, in milliseconds
SHAPES = ("noise", "constant", "steps", "large_offset", "walk")


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """One message: what the device sent, and when it came."""

    reading_id: str
    device_id: str
    event_time: int
    received_at: int
    values: dict[str, float | None]

    def payload(self) -> bytes:
        at = datetime.fromtimestamp(self.event_time // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        stamp = f"{at}.{self.event_time % 1000:03d}Z"
        return json.dumps({"reading_id": self.reading_id, "timestamp": stamp, **self.values}).encode()


def definition(rng: random.Random) -> dict[str, Any]:
    """Return a feature set of one to three sensors, with random windows, rules and null values, as a document."""
    sensors = [_sensor(rng, name) for name in ("temperature", "vibration", "pressure")[: rng.randint(1, 3)]]
    features = [feature for sensor in sensors for feature in _features(rng, str(sensor["name"]))]
    since = rng.choice((60, 600, 3600))
    features.append(_feature("since", None, "seconds_since_last", since, null=rng.choice((None, float(since)))))
    return {
        "version": 1,
        "sensors": sensors,
        "cleaning": {
            "allowed_lateness_seconds": rng.choice((60, 600, 3600)),
            "future_tolerance_seconds": rng.choice((0, 5, 60)),
            "hold_seconds": rng.choice((0, 10, 45, 600)),
        },
        "normalisation": {
            "method": rng.choice(("none", "standard", "minmax")),
            "per": rng.choice(("device", "all")),
        },
        "features": features,
    }


def _sensor(rng: random.Random, name: str) -> dict[str, Any]:
    celsius = rng.random() < 0.3
    return {
        "name": name,
        "minimum": rng.choice((None, -1e9)),
        "maximum": rng.choice((None, 1e9)),
        "factor": 5 / 9 if celsius else 1.0,
        "offset": -160 / 9 if celsius else 0.0,
    }


def _feature(
    name: str, sensor: str | None, statistic: str, window: int, *, least: int = 1, null: float | None = None
) -> dict[str, Any]:
    return {
        "name": name,
        "sensor": sensor,
        "statistic": statistic,
        "window_seconds": window,
        "minimum_readings": least,
        "null_value": null,
    }


def _features(rng: random.Random, sensor: str) -> Iterator[dict[str, Any]]:
    yield _feature(sensor, sensor, "value", 0)
    for statistic in ("mean", "std", "minimum", "maximum"):
        window = rng.choice((1, 10, 30, 300))
        least = max(rng.choice((1, 1, 3)), 2 if statistic == "std" else 1)
        null = rng.choice((None, 0.0, -1.5))
        yield _feature(f"{sensor}_{statistic}", sensor, statistic, window, least=least, null=null)
    yield _feature(f"{sensor}_rate", sensor, "rate", rng.choice((10, 60, 3600)), null=rng.choice((None, 0.0)))


def arrivals(rng: random.Random, document: dict[str, Any], *, count: int | None = None) -> list[Arrival]:
    """Return the messages of one device by arrival, of so many readings (default: 1 to 60) and their duplicates."""
    names = [sensor["name"] for sensor in document["sensors"]]
    curves = {name: _curve(rng) for name in names}
    found: list[Arrival] = []
    at = START + rng.randrange(86_400_000)
    for number in range(rng.randint(1, 60) if count is None else count):
        at += _step(rng)
        values = {name: None if rng.random() < 0.15 else next(curves[name]) for name in names}
        if rng.random() < 0.02:
            values[names[0]] = 1e12 if document["sensors"][0]["maximum"] else 75.0
        found += _sent(rng, f"r{number:03d}", at, values, document)
    return sorted(found, key=lambda arrival: (arrival.received_at, rng.random()))


def _sent(
    rng: random.Random, name: str, at: int, values: dict[str, float | None], document: dict[str, Any]
) -> Iterator[Arrival]:
    late = document["cleaning"]["allowed_lateness_seconds"] * 1000
    early = document["cleaning"]["future_tolerance_seconds"] * 1000
    delay = rng.choices(
        (rng.randrange(2000), rng.randrange(90_000), late + rng.choice((0, 1)), -early - rng.choice((0, 1))),
        weights=(70, 24, 3, 3),
    )[0]
    first = Arrival(reading_id=name, device_id="d1", event_time=at, received_at=at + delay, values=values)
    yield first
    for copy in range(rng.choice((0, 0, 0, 0, 0, 0, 1, 2))):
        other = {sensor: None if value is None else value + rng.choice((0.0, 1.0)) for sensor, value in values.items()}
        again = first.received_at + rng.choice((0, 0, rng.randrange(30_000), -rng.randrange(1000)))
        yield Arrival(reading_id=f"{name}-{copy}", device_id="d1", event_time=at, received_at=again, values=other)


def _step(rng: random.Random) -> int:
    """Return the milliseconds to the next reading: mostly regular, exact ends of windows, sometimes a gap."""
    return rng.choices(
        (1000, 10_000, rng.randint(1, 20_000), 300_000, rng.randint(60_000, 4_000_000)), (20, 60, 30, 3, 3)
    )[0]


def _curve(rng: random.Random) -> Iterator[float]:
    shape = rng.choice(SHAPES)
    level, noise = rng.uniform(-50, 50), 10.0 ** rng.randint(-3, 2)
    if shape == "large_offset":
        level = rng.choice((1e6, -1e6))
    while True:
        if shape == "steps" and rng.random() < 0.1:
            level += rng.choice((-10.0, 10.0))
        if shape == "walk":
            level += rng.gauss(0, noise)
        yield level if shape in ("constant", "steps") else level + rng.gauss(0, noise)
