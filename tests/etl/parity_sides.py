"""Both sides of the parity test: the scorer's code fed by arrival, the ETL kernel given the whole series."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import polars as pl

from ml_lens_features import definition as offline_definition
from ml_lens_features.clean import clean_readings
from ml_lens_features.normalise import Parameters as OfflineParameters
from ml_lens_features.normalise import fit, normalise
from ml_lens_features.windows import window_features
from ml_lens_runtime import strict_json
from ml_lens_runtime.errors import ReadingError
from ml_lens_runtime.feature_definition import FeatureSet
from ml_lens_runtime.normalisation import Parameters
from ml_lens_runtime.sensor_readings import observe
from ml_lens_runtime.window_features import Features, Reading
from ml_lens_runtime.window_store import WindowStore, assess
from tests.etl.parity_series import Arrival

Outcome = str | Features
Feed = Callable[[Sequence[Arrival], dict[str, Any], str], dict[str, Outcome]]


class FakeWindowStore:
    """The window of one device in memory. No DynamoDB, no conditions, no pages, no expiry."""

    def __init__(self) -> None:
        self.kept: dict[int, Reading] = {}

    def put(self, reading: Reading) -> bool:
        there = self.kept.setdefault(reading.event_time, reading)
        if there.rank > reading.rank:
            self.kept[reading.event_time] = reading
        return self.kept[reading.event_time].rank == reading.rank

    def read(self, device_id: str, *, first: int, last: int) -> list[Reading]:
        return [reading for at, reading in self.kept.items() if first <= at <= last]


def online(
    messages: Sequence[Arrival],
    document: dict[str, Any],
    parameters: str,
    store: WindowStore | FakeWindowStore | None = None,
) -> dict[str, Outcome]:
    """Feed the messages in order of arrival, those of one millisecond as a batch; return what became of each."""
    rules = FeatureSet.parse(json.dumps(document))
    scales = Parameters() if rules.method == "none" else Parameters.parse(parameters, definition=rules)
    store = FakeWindowStore() if store is None else store
    found: dict[str, Outcome] = {}
    for _, together in groupby(messages, key=lambda message: message.received_at):
        batch = []
        for message in together:
            try:
                batch.append(_observed(message, rules))
            except ReadingError as fault:
                found[message.reading_id] = fault.reason
        outcomes = assess(batch, store=store, definition=rules, parameters=scales)  # type: ignore[arg-type]
        for reading, outcome in zip(batch, outcomes, strict=True):
            found[reading.reading_id] = outcome.reason if isinstance(outcome, ReadingError) else outcome
    return found


def _observed(message: Arrival, rules: FeatureSet) -> Reading:
    return observe(
        strict_json.loads(message.payload()),
        device_id=message.device_id,
        reading_id=message.reading_id,
        received_at=message.received_at,
        definition=rules,
    )


@dataclass(frozen=True, kw_only=True)
class Offline:
    """What the kernel made of a series: an outcome by reading, its parameters, the largest value by sensor."""

    outcomes: dict[str, Outcome]
    parameters: str
    largest: dict[str, float | None]

    def rounding(self, rule: dict[str, Any]) -> float:
        largest = self.largest.get(rule["sensor"])
        return 4 * math.ulp(largest) if rule["statistic"] == "mean" and largest is not None else 0.0


def offline(messages: Sequence[Arrival], document: dict[str, Any]) -> Offline:
    """Hand the whole series to the kernel, in no order."""
    rules = offline_definition.FeatureSet.parse(json.dumps(document))
    columns = ("reading_id", "device_id", "event_time", "received_at")
    times = {"event_time": pl.Datetime("ms", "UTC"), "received_at": pl.Datetime("ms", "UTC")}
    numbers = {sensor.name: pl.Float64 for sensor in rules.sensors}
    sent = [{**{name: getattr(message, name) for name in columns}, **message.values} for message in messages]
    whole = {
        "reading_id": pl.String,
        "device_id": pl.String,
        "event_time": pl.Int64,
        "received_at": pl.Int64,
        **numbers,
    }
    frame = pl.DataFrame(sent, schema=whole).with_columns(pl.col(name).cast(kind) for name, kind in times.items())
    cleaned = clean_readings(frame.sample(fraction=1.0, shuffle=True, seed=1), rules)
    scales = OfflineParameters.fitted({"d1": fit(cleaned.rows, rules)}, rules.normalisation)
    rows = normalise(cleaned.rows, scales, rules)
    features = window_features(rows, rules)
    names = [feature.name for feature in rules.features]
    found: dict[str, Outcome] = dict(cleaned.quarantined.select("reading_id", "reason").iter_rows())
    found |= {row["reading_id"]: tuple(row[name] for name in names) for row in features.iter_rows(named=True)}
    largest: dict[str, Any] = {name: rows[name].abs().max() for name in rules.sensor_names}
    return Offline(outcomes=found, parameters=scales.to_json(), largest=largest)


def decisions(outcomes: dict[str, Outcome]) -> dict[str, str]:
    return {name: outcome if isinstance(outcome, str) else "kept" for name, outcome in outcomes.items()}
