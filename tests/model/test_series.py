"""A real series: features from past and present only, every row kept, labelled windows found by name."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cdk_ml_lens.local import series

START = datetime(2024, 3, 1, tzinfo=UTC)


def samples(values: list[float], *, step: timedelta = timedelta(hours=1)) -> list[series.Sample]:
    return [
        series.Sample(timestamp=str(START + i * step), text=str(v), moment=START + i * step, value=v)
        for i, v in enumerate(values)
    ]


def test_changing_the_future_does_not_change_the_past() -> None:
    values = [20 + math.sin(i / 3) for i in range(100)]
    before = series.featurise(samples(values), device_id="d")
    after = series.featurise(samples(values[:60] + [v + 500 for v in values[60:]]), device_id="d")

    assert before[:60] == after[:60]
    assert all(a != b for a, b in zip(before[60:], after[60:], strict=True))


def test_features_are_what_their_names_say() -> None:
    values = [float(i * i % 37) for i in range(40)]
    last = series.featurise(samples(values), device_id="d")[-1].features
    day = values[-24:]

    mean = sum(day) / 24
    assert last["value"] == values[-1]
    assert last["change_1h"] == values[-1] - values[-2]
    assert last["from_mean_24h"] == pytest.approx(values[-1] - mean, abs=1e-5)
    assert last["spread_24h"] == pytest.approx(math.sqrt(sum((v - mean) ** 2 for v in day) / 24), abs=1e-5)


def test_the_first_row_and_a_row_after_a_long_gap_have_features() -> None:
    rows = samples([5.0, 9.0])
    late = START + timedelta(days=9)
    rows.append(series.Sample(timestamp=str(late), text="7.0", moment=late, value=7.0))

    first, _, after = series.featurise(rows, device_id="d")

    assert list(first.features.values()) == [5.0, 0.0, 0.0, 0.0]
    assert list(after.features.values()) == [7.0, 0.0, 0.0, 0.0]


def test_the_change_of_a_fast_series_reaches_back_one_hour() -> None:
    values = [float(i) for i in range(30)]
    readings = series.featurise(samples(values, step=timedelta(minutes=5)), device_id="d")

    assert readings[29].features["change_1h"] == 12.0


def test_every_row_of_a_file_is_kept_even_when_it_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text(
        "timestamp,value\n2024-03-01 00:00:00,1\n2024-03-01 01:00:00,n/a\n2024-03-01 02:00:00,\n"
        "soon,4\n2024-03-01 04:00:00,5\n"
    )

    readings = series.featurise(series.load_series(path), device_id="d")

    assert [reading.features["value"] for reading in readings] == [1.0, "n/a", "", "4", 5.0]
    assert readings[1].features["change_1h"] is None
    assert readings[3].timestamp == "soon"
    assert readings[4].features["from_mean_24h"] == 2.0  # mean of the readable 1 and 5


def test_the_split_streams_every_later_row_and_learns_from_complete_ones() -> None:
    rows = samples([float(i) for i in range(100)])
    rows[3] = series.Sample(timestamp="t", text="n/a", moment=None, value=None)
    learned, streamed = series.split(series.featurise(rows, device_id="d"), share=0.2)

    assert [reading.index for reading in learned] == [i for i in range(20) if i != 3]
    assert [reading.index for reading in streamed] == list(range(20, 100))


@pytest.mark.parametrize(("rows", "quantile"), [(1000, 0.995), (100_000, 0.999), (100, 0.95), (0, 0.5)])
def test_the_quantile_leaves_five_training_rows_above_it(rows: int, quantile: float) -> None:
    assert series.quantile_for(rows) == pytest.approx(quantile)


def test_the_windows_file_is_the_one_whose_name_fits_best(tmp_path: Path) -> None:
    for name in ("ambient_windows.json", "ambient_temperature_windows.json", "pump_windows.json"):
        (tmp_path / name).write_text("[]")

    assert (
        series.find_windows(tmp_path / "ambient_temperature_failure.csv")
        == tmp_path / "ambient_temperature_windows.json"
    )
    assert series.find_windows(tmp_path / "turbine.csv") is None


def test_windows_include_both_ends(tmp_path: Path) -> None:
    (tmp_path / "w.json").write_text('[["2024-03-01 00:00:00.000000", "2024-03-01 02:00:00"]]')
    (window,) = series.load_windows(tmp_path / "w.json")

    covered = [window.covers(START + timedelta(hours=hour)) for hour in (-1, 0, 2, 3)]
    assert covered == [False, True, True, False]


@pytest.mark.parametrize("text", ["{", '[["2024-01-01"]]', '[["a", "b"]]', "3"])
def test_fails_for_a_windows_file_of_another_form(tmp_path: Path, text: str) -> None:
    (tmp_path / "w.json").write_text(text)

    with pytest.raises(series.SeriesError, match=r"w.json must be a JSON list of \[start, end\] pairs"):
        series.load_windows(tmp_path / "w.json")


@pytest.mark.parametrize(
    ("text", "fault"),
    [("a,b\n1,2\n", "columns timestamp,value"), ("timestamp,value\n", "one row"), ("", "columns")],
)
def test_fails_for_a_file_that_is_no_series(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "s.csv").write_text(text)

    with pytest.raises(series.SeriesError, match=fault):
        series.load_series(tmp_path / "s.csv")
