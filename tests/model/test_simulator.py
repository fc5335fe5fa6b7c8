"""The turbine simulator: seeded, labelled, and damaged only inside its windows."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from cdk_ml_lens.local.failures import WINDOW
from cdk_ml_lens.local.poison import poisons
from cdk_ml_lens.local.simulator import FEATURES, FailureKind, simulate, training_set


def test_the_same_seed_gives_the_same_simulation_and_another_seed_another() -> None:
    first, again, other = (simulate(devices=2, readings_per_device=80, failures=2, seed=seed) for seed in (1, 1, 2))

    assert first == again
    assert first.readings != other.readings


def test_failures_change_readings_only_inside_their_windows() -> None:
    healthy = simulate(devices=4, readings_per_device=120, failures=0, seed=5)
    failing = simulate(devices=4, readings_per_device=120, failures=8, seed=5)
    changed = {(a.device_id, a.index) for a, b in zip(failing.readings, healthy.readings, strict=True) if a != b}

    inside = {(w.device_id, index) for w in failing.windows for index in range(w.start_index, w.end_index)}
    assert changed <= inside
    assert len(changed) > 0.9 * len(inside)
    assert len(inside) == 8 * WINDOW  # no two windows of one device overlap
    assert {window.kind for window in failing.windows} == set(FailureKind)


def test_a_stuck_sensor_repeats_one_value() -> None:
    simulation = simulate(devices=4, readings_per_device=60, failures=4, seed=7)
    window = next(w for w in simulation.windows if w.kind is FailureKind.STUCK_SENSOR)

    speeds = {
        r.features["rotation_speed"]
        for r in simulation.readings
        if r.device_id == window.device_id and window.start_index <= r.index < window.end_index
    }
    assert len(speeds) == 1


def test_each_reading_has_its_own_id_and_every_feature() -> None:
    readings = simulate(devices=3, readings_per_device=40, failures=0, seed=1).readings

    assert len({(r.device_id, r.reading_id) for r in readings}) == 120
    document = json.loads(readings[-1].body())
    assert set(document) == {"reading_id", "timestamp", *FEATURES}
    assert document["timestamp"] == "2025-01-01T09:45:00Z"


def test_training_turbines_are_others_than_the_simulated_ones() -> None:
    trained = training_set(seed=4, rows=100)
    streamed = simulate(devices=4, readings_per_device=50, failures=0, seed=4).readings

    assert not {r.device_id for r in trained} & {r.device_id for r in streamed}
    assert not {r.body() for r in trained} & {r.body() for r in streamed}
    assert len(trained) >= 100


def test_fails_when_failures_have_no_room() -> None:
    with pytest.raises(
        ValueError, match=r"readings must be at least 200 per device for 10 failures on 2 devices, got 100"
    ):
        simulate(devices=2, readings_per_device=100, failures=10, seed=1)


def test_every_poison_is_different_and_broken_as_it_says() -> None:
    reading = training_set(seed=1, rows=12)[0]
    made = poisons(reading)
    by_reason = {poison.reason: poison.body for poison in made}

    assert len({poison.body for poison in made}) == len(made)
    assert Counter(poison.reason for poison in made)["not_finite"] == 2
    assert set(json.loads(by_reason["missing_feature"])) == {"reading_id", "timestamp", *FEATURES[1:]}
    assert isinstance(json.loads(by_reason["wrong_type"])["temperature"], str)
    assert isinstance(json.loads(by_reason["not_an_object"]), list)
    with pytest.raises(ValueError, match=r"delimiter|Expecting|Unterminated"):
        json.loads(by_reason["not_json"])
    with pytest.raises(UnicodeDecodeError):
        by_reason["bad_encoding"].decode("utf-8")
