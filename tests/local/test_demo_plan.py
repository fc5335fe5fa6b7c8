"""What the demo streams: failures, poison and repetitions in a simulated fleet; every later row of a real series."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cdk_ml_lens.local.demo_plan import from_series, simulated


def test_a_simulated_fleet_has_failures_poison_and_repeated_messages() -> None:
    plan = simulated(devices=2, readings=100, failures=4, seed=1)
    times = Counter(message.key for message in plan.outgoing)
    poison = [message for message in plan.outgoing if message.reason is not None]

    assert len(times) == 2 * 100 + len(poison)
    assert sum(count - 1 for count in times.values()) == 2
    assert {message.reason for message in poison} == {
        "bad_encoding", "missing_feature", "not_an_object", "not_finite", "not_json", "wrong_type",
    }  # fmt: skip
    assert plan.devices == ["turbine-01", "turbine-02"]
    assert [len(window.keys) for window in plan.windows] == [30] * 4
    assert "simulated" in plan.title


def test_no_two_different_messages_of_a_device_have_the_same_bytes() -> None:
    plan = simulated(devices=3, readings=150, failures=3, seed=2)
    named: dict[tuple[str, bytes], str] = {}
    for message in plan.outgoing:
        assert named.setdefault((message.device_id, message.body), message.key) == message.key


def series_file(folder: Path, rows: int, **broken: str) -> Path:
    start = datetime(2024, 1, 1)
    lines = [f"{start + timedelta(hours=n)},{broken.get(f'row{n}', str(20 + n % 5))}" for n in range(rows)]
    path = folder / "pump_failure.csv"
    path.write_text("timestamp,value\n" + "\n".join(lines) + "\n")
    return path


def test_a_series_streams_every_row_after_its_training_part(tmp_path: Path) -> None:
    plan = from_series(series_file(tmp_path, 200, row5="n/a", row50="n/a"), windows=None)

    assert plan.rows == 30
    assert len(plan.training) == 29
    assert [message.key for message in plan.outgoing] == [f"sensor-01#r{n:06d}" for n in range(30, 200)]
    assert {message.key: message.reason for message in plan.outgoing if message.reason is not None} == {
        "sensor-01#r000050": "wrong_type"
    }
    assert plan.windows == []


def test_windows_beside_a_series_mark_its_rows_and_those_in_the_training_part_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "pump_windows.json").write_text(
        '[["2024-01-01 00:00:00", "2024-01-01 05:00:00"], ["2024-01-03 00:00:00", "2024-01-03 02:00:00"]]'
    )
    plan = from_series(series_file(tmp_path, 200), windows=None)

    (window,) = plan.windows
    assert window.keys == {f"sensor-01#r{n:06d}" for n in (48, 49, 50)}


def test_fails_for_more_failures_than_fit() -> None:
    with pytest.raises(ValueError, match="readings must be at least 400 per device for 10 failures"):
        simulated(devices=1, readings=200, failures=10, seed=1)
