"""A second, slow implementation of the features in plain Python, written from the definition: one loop per reading."""

from __future__ import annotations

import json
import random
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

Row = dict[str, Any]
START = datetime(2026, 3, 1, tzinfo=UTC)


def definition(**changes: Any) -> str:
    """Return a feature set of two sensors, as the construct library renders it."""
    sensors = [
        {"name": "temperature", "minimum": -50.0, "maximum": 2e6, "factor": 1.0, "offset": 0.0},
        {"name": "vibration", "minimum": None, "maximum": None, "factor": 0.5, "offset": 1.0},
    ]
    features: list[Row] = []
    for name in ("temperature", "vibration"):
        features.append(_feature(name, name, "value", 0))
        for statistic in ("mean", "std", "minimum", "maximum"):
            fewest = 2 if statistic == "std" else 1
            features.append(_feature(f"{name}_{statistic}", name, statistic, 300, fewest=fewest))
        features.append(_feature(f"{name}_rate", name, "rate", 3600, null_value=0.0))
    features.append(_feature("temperature_mean_long", "temperature", "mean", 1800, fewest=3))
    features.append(_feature("since", None, "seconds_since_last", 900, null_value=900.0))
    document = {
        "version": 1,
        "sensors": sensors,
        "cleaning": {"allowed_lateness_seconds": 1200, "future_tolerance_seconds": 60, "hold_seconds": 120},
        "normalisation": {"method": "none", "per": "device"},
        "features": features,
    }
    return json.dumps({**document, **changes})


def _feature(
    name: str, sensor: str | None, statistic: str, seconds: int, *, fewest: int = 1, null_value: float | None = None
) -> Row:
    shape = {"name": name, "sensor": sensor, "statistic": statistic, "window_seconds": seconds}
    return {**shape, "minimum_readings": fewest, "null_value": null_value}


def series(seed: int, *, length: int = 200, offset: float = 20.0, noise: float = 1.0) -> list[Row]:
    """Return one device's readings as they arrive: gaps, nulls, duplicates, late, out of order, constant stretches."""
    chance = random.Random(seed)
    rows: list[Row] = []
    at = START
    level = offset
    for number in range(length):
        at += timedelta(milliseconds=chance.choice((10_000, 10_003, 9_200, 250, 60_000, 10_000, 10_000)))
        at += timedelta(seconds=chance.choice((0,) * 60 + (400, 4000)))
        level = level if chance.random() < 0.3 else offset + chance.gauss(0.0, noise)
        delay = chance.choice((0.1,) * 12 + (30.0, 200.0, 1100.0, 1300.0, -30.0, -100.0))
        row: Row = {
            "reading_id": f"r{number}",
            "device_id": "d1",
            "event_time": at,
            "received_at": at + timedelta(seconds=delay + chance.random()),
            "temperature": None if chance.random() < 0.1 else level,
            "vibration": None if chance.random() < 0.4 else chance.uniform(-1, 1) * 10 ** chance.randint(-6, 6),
        }
        rows.append(row)
        if chance.random() < 0.05:
            again = row["received_at"] + timedelta(seconds=chance.choice((0.0, 1.0, 500.0)))
            rows.append({**row, "reading_id": f"r{number}b", "received_at": again, "temperature": level + 1})
    for row in rows:
        row["event_time"], row["received_at"] = (_whole(row[name]) for name in ("event_time", "received_at"))
    return sorted(rows, key=lambda row: (row["received_at"], row["reading_id"]))


def frame(rows: Sequence[Row]) -> pl.DataFrame:
    """Return the readings as the raw table has them."""
    time = pl.Datetime("ms", "UTC")
    schema = {"reading_id": pl.String, "device_id": pl.String, "event_time": time, "received_at": time}
    return pl.DataFrame(rows, schema={**schema, "temperature": pl.Float64, "vibration": pl.Float64}, orient="row")


def clean(rows: Sequence[Row], text: str) -> tuple[list[Row], dict[str, str]]:
    """Return the kept readings by event time, with held values, and the reason of each refused one by its id."""
    rules = json.loads(text)
    taken: dict[datetime, Row] = {}
    reasons: dict[str, str] = {}
    for row in rows:  # in the order of arrival
        reason = _reason(row, rules)
        if reason is None and row["event_time"] in taken:
            reason = "duplicate"
        if reason is not None:
            reasons[row["reading_id"]] = reason
            continue
        values = {s["name"]: _value(row[s["name"]], s) for s in rules["sensors"]}
        taken[row["event_time"]] = {**row, **values, "measured": values}
    kept = [taken[at] for at in sorted(taken)]
    return [_held(row, kept, rules) for row in kept], reasons


def features(kept: Sequence[Row], text: str) -> list[Row]:
    """Return every feature of every kept reading."""
    rules = json.loads(text)
    return [{f["name"]: _compute(row, kept, f) for f in rules["features"]} for row in kept]


def _whole(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _value(raw: float | None, sensor: Row) -> float | None:
    return None if raw is None else raw * sensor["factor"] + sensor["offset"]


def _reason(row: Row, rules: Row) -> str | None:
    values = [(_value(row[s["name"]], s), s) for s in rules["sensors"]]
    for value, sensor in values:
        low, high = sensor["minimum"], sensor["maximum"]
        if value is not None and ((low is not None and value < low) or (high is not None and value > high)):
            return "out_of_range"
    if all(value is None for value, _ in values):
        return "no_value"
    age = (row["received_at"] - row["event_time"]).total_seconds()
    if age > rules["cleaning"]["allowed_lateness_seconds"]:
        return "late"
    return "in_future" if -age > rules["cleaning"]["future_tolerance_seconds"] else None


def _seen(row: Row, kept: Sequence[Row], seconds: float, *, itself: bool) -> list[Row]:
    start = row["event_time"] - timedelta(seconds=seconds)
    visible = [other for other in kept if other["received_at"] <= row["received_at"]]
    if itself:
        return [other for other in visible if start < other["event_time"] <= row["event_time"]]
    return [other for other in visible if start <= other["event_time"] < row["event_time"]]


def _held(row: Row, kept: Sequence[Row], rules: Row) -> Row:
    held = dict(row)
    for name in (sensor["name"] for sensor in rules["sensors"]):
        before = _seen(row, kept, rules["cleaning"]["hold_seconds"], itself=False)
        known = [other["measured"][name] for other in before if other["measured"][name] is not None]
        if row["measured"][name] is None and known:
            held[name] = known[-1]
    return held


def _compute(row: Row, kept: Sequence[Row], feature: Row) -> float | None:
    found = _statistic(row, kept, feature)
    return feature["null_value"] if found is None else found


def _statistic(row: Row, kept: Sequence[Row], feature: Row) -> float | None:
    kind, sensor, seconds = feature["statistic"], feature["sensor"], feature["window_seconds"]
    if kind == "value":
        return row[sensor]
    before = _seen(row, kept, seconds, itself=False)
    if kind == "seconds_since_last":
        return (row["event_time"] - before[-1]["event_time"]).total_seconds() if before else None
    if kind == "rate":
        known = [other for other in before if other["measured"][sensor] is not None]
        if row["measured"][sensor] is None or not known:
            return None
        hours = (row["event_time"] - known[0]["event_time"]).total_seconds() / 3600
        return (row["measured"][sensor] - known[0]["measured"][sensor]) / hours
    window = [other["measured"][sensor] for other in _seen(row, kept, seconds, itself=True)]
    values = [value for value in window if value is not None]
    return _over(values, kind) if len(values) >= feature["minimum_readings"] else None


def _over(values: Sequence[float], kind: str) -> float:
    if kind in ("minimum", "maximum"):
        return min(values) if kind == "minimum" else max(values)
    return statistics.mean(values) if kind == "mean" else statistics.stdev(values)  # exact, then rounded once
