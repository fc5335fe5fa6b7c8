"""Parity: the scorer's window features are those of the ETL kernel, on hundreds of random series.

The relative difference of two numbers is ``|a - b| / max(|a|, |b|)``. One thing is allowed for: a mean of values that
cancel each other (say 1.5 and -1.5) is known to rounding only, so means may also differ by four times the spacing of
floats at the largest value of their sensor.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto import mock_aws

from ml_lens_runtime.window_features import Features
from ml_lens_runtime.window_store import WindowStore
from tests.etl.parity_handler import through_the_scorer
from tests.etl.parity_series import Arrival, arrivals, definition
from tests.etl.parity_sides import Feed, Outcome, decisions, offline, online
from tests.handlers.window_support import make_window_table

SERIES = 600
TOLERANCE = 1e-9


def difference(left: float | None, right: float | None, *, rounding: float) -> float:
    """Return the relative difference; infinite where only one is null, 0 where both are equal but for rounding."""
    if left is None or right is None:
        return 0.0 if left is right else math.inf
    return 0.0 if abs(left - right) <= rounding else abs(left - right) / max(abs(left), abs(right))


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What comparing one series gave."""

    largest: float
    compared: int
    decisions: set[str]


def compare(seed: int, feed: Feed, *, count: int | None = None, filled: bool = False) -> Comparison:
    """Compare one series; ``filled``: a number stands for every null, as a model wants it."""
    rng = random.Random(seed)
    document = definition(rng)
    if filled:
        document["features"] = [{"null_value": 0.0, **_without_null(rule)} for rule in document["features"]]
    messages = arrivals(rng, document, count=count)
    expected = offline(messages, document)
    given = feed(messages, document, expected.parameters)
    assert len(expected.outcomes) == len(messages)
    assert decisions(given) == decisions(expected.outcomes), seed
    kept = {name: outcome for name, outcome in expected.outcomes.items() if not isinstance(outcome, str)}
    differences = [
        difference(left, right, rounding=expected.rounding(rule))
        for name, outcome in kept.items()
        for rule, left, right in zip(document["features"], outcome, values_of(given, name), strict=True)
    ]
    return Comparison(
        largest=max(differences, default=0.0),
        compared=len(differences),
        decisions=set(decisions(expected.outcomes).values()),
    )


def _without_null(rule: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in rule.items() if value is not None or name != "null_value"}


def values_of(outcomes: dict[str, Outcome], name: str) -> Features:
    found = outcomes[name]
    assert not isinstance(found, str)
    return found


def test_features_and_decisions_are_the_same_online_and_offline_on_600_series() -> None:
    found = [compare(seed, online) for seed in range(SERIES)]
    largest, compared = max(one.largest for one in found), sum(one.compared for one in found)
    print(f"{compared} features of {SERIES} series, largest relative difference {largest:.2e}")
    assert [seed for seed, one in enumerate(found) if one.largest > TOLERANCE] == []
    assert compared > 100_000
    every = {"kept", "out_of_range", "no_value", "late", "in_future", "duplicate"}
    assert set().union(*(one.decisions for one in found)) == every


@pytest.mark.parametrize("seed", range(2000, 2010))
def test_features_stay_the_same_over_a_thousand_readings(seed: int) -> None:
    assert compare(seed, online, count=1000).largest <= TOLERANCE


@pytest.mark.parametrize("seed", range(1000, 1010))
def test_features_are_the_same_through_dynamodb(seed: int, table: Any) -> None:
    def feed(messages: Sequence[Arrival], document: dict[str, Any], parameters: str) -> dict[str, Outcome]:
        store = WindowStore(client=table, table="window", expires=lambda: 2_000_000_000)
        return online(messages, document, parameters, store)

    assert compare(seed, feed).largest <= TOLERANCE


@pytest.mark.parametrize("seed", range(3000, 3003))
def test_the_scorer_asks_the_model_with_the_features_of_the_kernel(seed: int) -> None:
    assert compare(seed, through_the_scorer, filled=True).largest <= TOLERANCE


def test_a_difference_would_be_seen() -> None:
    def off(messages: Sequence[Arrival], document: dict[str, Any], parameters: str) -> dict[str, Outcome]:
        right = online(messages, document, parameters)
        return {name: value if isinstance(value, str) else _nudged(value) for name, value in right.items()}

    assert compare(3, off).largest > TOLERANCE


def _nudged(values: Features) -> Features:
    return tuple(None if value is None else value * (1 + 1e-8) for value in values)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        make_window_table(client)
        yield client
