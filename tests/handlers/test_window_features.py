"""Window features by hand: ends of windows, visibility, holding, nulls; and the rules that need one reading only."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from ml_lens_runtime.errors import ReadingError
from ml_lens_runtime.normalisation import Parameters
from ml_lens_runtime.sensor_readings import observe
from ml_lens_runtime.window_features import DeviceWindow, Features, Reading
from tests.handlers.window_support import START, at, definition, feature

OVER_A_MINUTE = (
    feature("now", "value"),
    feature("mean", "mean", 60),
    feature("std", "std", 60),
    feature("low", "minimum", 60),
    feature("high", "maximum", 60),
    feature("rate", "rate", 60),
    feature("gap", "seconds_since_last", 60),
)


def of_last(readings: Sequence[Reading], *, rules: Sequence[dict[str, object]] = OVER_A_MINUTE) -> Features:
    window = DeviceWindow(readings, definition=definition(*rules), parameters=Parameters())
    return window.features(readings[-1])


def test_the_first_reading_has_itself_only() -> None:
    assert of_last([at(0, 20.0)]) == (20.0, 20.0, None, 20.0, 20.0, None, None)


def test_statistics_of_a_full_window() -> None:
    values = of_last([at(0, 10.0), at(30, 20.0), at(59, 60.0)])
    assert values == (60.0, 30.0, pytest.approx(math.sqrt(700)), 10.0, 60.0, 50.0 / (59 / 3600), 29.0)


def test_a_window_is_open_where_it_begins_but_rate_and_gap_reach_its_beginning() -> None:
    now, mean, std, low, high, rate, gap = of_last([at(0, 10.0), at(60, 40.0)])
    assert (now, mean, std, low, high) == (40.0, 40.0, None, 40.0, 40.0)
    assert (rate, gap) == (30.0 * 60, 60.0)


def test_a_millisecond_more_is_out_of_the_window() -> None:
    assert of_last([at(0, 10.0), at(60.001, 40.0)])[5:] == (None, None)


def test_a_constant_window_has_a_deviation_of_exactly_zero() -> None:
    assert of_last([at(second, 0.1 + 1e6) for second in range(50)])[2] == 0.0


def test_deviation_survives_a_large_offset() -> None:
    readings = [at(second, 1e6 + second % 2 * 1e-3) for second in range(50)]
    expected = math.sqrt(50 * 0.25e-6 / 49)
    assert of_last(readings)[2] == pytest.approx(expected, rel=1e-6)


def test_readings_that_arrived_later_are_not_seen_though_they_were_made_earlier() -> None:
    window = [at(0, 10.0), at(10, 90.0, delay=600.0), at(20, 20.0)]
    assert of_last(window)[1] == 15.0
    assert of_last([*window, at(30, 30.0, delay=600.0)])[1] == 37.5  # by then it had arrived


def test_future_readings_are_not_seen_though_they_arrived_before() -> None:
    late = at(10, 20.0, delay=100.0)
    assert of_last([at(0, 10.0), at(20, 90.0), late])[1] == 15.0


def test_a_missing_value_is_held_for_the_value_only_and_not_too_long() -> None:
    rules = (feature("now", "value"), feature("mean", "mean", 60), feature("rate", "rate", 60))
    assert of_last([at(0, 10.0), at(30, None)], rules=rules) == (10.0, 10.0, None)
    assert of_last([at(0, 10.0), at(30.001, None)], rules=rules) == (None, 10.0, None)


def test_a_value_that_arrived_later_is_not_held() -> None:
    rules = (feature("now", "value"),)
    assert of_last([at(0, 10.0), at(10, 11.0, delay=90.0), at(20, None)], rules=rules) == (10.0,)


def test_too_few_readings_give_the_null_value() -> None:
    rules = (feature("mean", "mean", 60, minimum_readings=3, null_value=-1.0),)
    assert of_last([at(0, 10.0), at(10, 20.0)], rules=rules) == (-1.0,)
    assert of_last([at(0, 10.0), at(10, 20.0), at(20, 30.0)], rules=rules) == (20.0,)


def test_values_are_converted_then_normalised() -> None:
    found = definition(
        feature("pressure", "value", sensor="pressure"),
        feature("mean", "mean", 60, sensor="pressure"),
        normalisation={"method": "standard", "per": "all"},
    )
    reading = at(0, None, values={"pressure": 8.0})  # 8 * 0.5 + 1 = 5
    parameters = Parameters(everyone={"temperature": (0.0, 1.0), "pressure": (1.0, 2.0)})
    window = DeviceWindow([reading], definition=found, parameters=parameters)
    assert window.features(reading) == (2.0, 2.0)


def test_another_reading_of_the_same_instant_makes_it_a_duplicate() -> None:
    window = DeviceWindow([at(0, 10.0)], definition=definition(), parameters=Parameters())
    with pytest.raises(ReadingError, match="duplicate: r0 of the same instant"):
        window.features(at(0, 10.0, reading_id="other"))


def observed(content: dict[str, object], *, received_at: int = START + 1000) -> Reading:
    content = {"timestamp": "2027-01-15T07:43:20Z", **content}  # START
    return observe(content, device_id="d", reading_id="r", received_at=received_at, definition=definition())


def test_a_reading_is_taken_with_the_sensors_that_it_has() -> None:
    found = observed({"temperature": 21, "pressure": None, "note": "spare"})
    assert (found.event_time, found.values) == (START, {"temperature": 21.0})


@pytest.mark.parametrize("fraction", ["001", "999", "9999"])
def test_the_time_is_cut_to_whole_milliseconds(fraction: str) -> None:
    assert observed({"timestamp": f"2027-01-15T07:43:20.{fraction}Z", "temperature": 1}).event_time == START + int(
        fraction[:3]
    )


@pytest.mark.parametrize(
    ("reason", "content", "delay"),
    [
        ("wrong_type", {"temperature": "20"}, 0),
        ("wrong_type", {"temperature": True}, 0),
        ("not_finite", {"temperature": 1e999}, 0),
        ("missing_time", {"temperature": 20, "timestamp": None}, 0),
        ("missing_time", {"temperature": 20, "timestamp": "2027-01-15T07:43:20"}, 0),
        ("out_of_range", {"temperature": 200.1}, 0),
        ("no_value", {}, 0),
        ("no_value", {"temperature": None}, 0),
        ("late", {"temperature": 20}, 3_600_001),
        ("in_future", {"temperature": 20}, -60_001),
    ],
)
def test_a_rule_of_cleaning_has_its_reason(reason: str, content: dict[str, object], delay: int) -> None:
    with pytest.raises(ReadingError, match=f"^{reason}:"):
        observed(content, received_at=START + delay)


@pytest.mark.parametrize("delay", [3_600_000, -60_000])
def test_the_limits_themselves_are_allowed(delay: int) -> None:
    assert observed({"temperature": 200.0}, received_at=START + delay).values == {"temperature": 200.0}
