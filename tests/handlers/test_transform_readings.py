"""The transformation of readings for the raw table: rows, times, partitions, poison, limits; ten thousand counted."""

from __future__ import annotations

import base64
import json
from collections import Counter
from random import Random
from typing import Any

import pytest

from handlers import transform_readings
from handlers.transform_readings import TransformSettings, run
from ml_lens_runtime.errors import ConfigurationError
from tests.handlers.support import payload, rule_output

ENV = TransformSettings(sensors=("temperature", "pressure"), table="raw.telemetry")
GOOD = {"reading_id": "r1", "timestamp": "2027-01-15T08:00:00.125Z", "temperature": 20, "pressure": 1.5}


def record(value: Any, *, number: int = 0, body: bytes | None = None, **rule: Any) -> dict[str, Any]:
    source = json.dumps(rule_output(value, **rule)).encode() + b"\n" if body is None else body
    return {
        "recordId": f"id{number}",
        "approximateArrivalTimestamp": 1_799_999_999_500,
        "data": base64.b64encode(source).decode(),
    }


def transform(*records: dict[str, Any]) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = run(env=ENV, event={"records": list(records)})["records"]
    return answers


def row(answer: dict[str, Any]) -> dict[str, Any]:
    line = base64.b64decode(answer["data"])
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    columns: dict[str, Any] = json.loads(line)
    return columns


def test_a_reading_becomes_the_columns_of_the_table() -> None:
    (answer,) = transform(record(GOOD))
    assert answer["result"] == "Ok"
    assert row(answer) == {
        "reading_id": "r1",
        "device_id": "turbine-1",
        "event_time": "2027-01-15 08:00:00.125",
        "received_at": "2027-01-15 07:59:59.000",
        "temperature": 20.0,
        "pressure": 1.5,
    }


def test_an_absent_sensor_is_null_and_an_undeclared_one_is_left_out() -> None:
    value = {"timestamp": GOOD["timestamp"], "pressure": None, "colour": "red"}
    found = row(transform(record(value))[0])
    assert (found["temperature"], found["pressure"]) == (None, None)
    assert "colour" not in found


def test_a_reading_without_an_id_takes_the_trace_id() -> None:
    assert row(transform(record({"timestamp": GOOD["timestamp"]}, trace="t-9"))[0])["reading_id"] == "t-9"


def test_the_partition_is_the_day_it_was_received_whatever_the_devices_clock_says() -> None:
    late = GOOD | {"timestamp": "1999-12-31T23:59:59+02:00"}
    answer = transform(record(late))[0]
    assert answer["metadata"]["partitionKeys"]["date"] == "2027-01-15"
    assert row(answer)["event_time"] == "1999-12-31 21:59:59.000"


def test_device_names_are_safe_for_a_key_and_stay_apart() -> None:
    names = ["a:b", "a-b", "a_b", "ab"]
    keys = [a["metadata"]["partitionKeys"]["device_id"] for a in transform(*(record(GOOD, device=n) for n in names))]
    assert keys == ["a.b", "a-b", "a_b", "ab"]


def test_plain_fields_of_a_typed_rule_are_read_too() -> None:
    plain = GOOD | {"device_id": "d", "received_at": 1_799_999_999_000, "trace_id": "t"}
    assert row(transform(record(None, body=json.dumps(plain).encode()))[0])["temperature"] == 20.0


POISONS: dict[str, Any] = {
    "no time": ("missing_time", {"temperature": 1}),
    "null time": ("missing_time", GOOD | {"timestamp": None}),
    "number as time": ("missing_time", GOOD | {"timestamp": 1_800_000_000}),
    "time without zone": ("missing_time", GOOD | {"timestamp": "2027-01-15T08:00:00"}),
    "words as time": ("missing_time", GOOD | {"timestamp": "yesterday"}),
    "year 9999": ("missing_time", GOOD | {"timestamp": "9999-12-31T23:59:59-05:00"}),
    "text": ("wrong_type", GOOD | {"temperature": "20.0"}),
    "boolean": ("wrong_type", GOOD | {"temperature": True}),
    "object": ("wrong_type", GOOD | {"temperature": {}}),
    "bad id": ("wrong_type", GOOD | {"reading_id": []}),
    "NaN": ("not_finite", payload(GOOD).replace(b": 20,", b": NaN,")),
    "huge integer": ("not_finite", GOOD | {"temperature": 10**400}),
    "too large": ("too_large", GOOD | {"note": "x" * 140_000}),
    "not UTF-8": ("bad_encoding", payload(GOOD) + b"\xff"),
    "cut": ("not_json", payload(GOOD)[:-1]),
    "deep": ("not_json", b"[" * 1500 + b"]" * 1500),
    "list": ("not_an_object", [GOOD]),
}


@pytest.mark.parametrize("name", POISONS)
def test_poison_fails_alone_with_its_reason_in_the_log(name: str, caplog: pytest.LogCaptureFixture) -> None:
    reason, value = POISONS[name]
    before, poison, after = transform(record(GOOD), record(value, number=1, trace="t-1"), record(GOOD, number=2))
    assert (before["result"], poison["result"], after["result"]) == ("Ok", "ProcessingFailed", "Ok")
    assert poison["recordId"] == "id1"
    (said,) = caplog.records
    assert (said.reason, said.record_id, said.trace_id) == (reason, "id1", "t-1")  # type: ignore[attr-defined]


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{", b"[]", b'"x"', b"{}", b'{"payload": "%", "device_id": "d"}'])
def test_a_record_that_is_no_rule_record_fails(body: bytes) -> None:
    assert transform(record(None, body=body))[0]["result"] == "ProcessingFailed"


def test_a_device_name_that_would_leave_its_prefix_fails() -> None:
    for name in ("../x", "a/b", "", None, "a" * 129):
        assert transform(record(GOOD, device=name))[0]["result"] == "ProcessingFailed"


def test_ten_thousand_payloads_are_each_answered_once_and_add_up() -> None:
    rng, names = Random(20_260_801), sorted(POISONS)
    plan = [rng.choice(names) if rng.random() < 0.2 else None for _ in range(10_000)]
    rows, refused = Counter[str](), 0
    for first in range(0, len(plan), 500):
        records = [
            record(GOOD | {"reading_id": f"r{n}"} if plan[n] is None else POISONS[str(plan[n])][1], number=n)
            for n in range(first, first + 500)
        ]
        answers = transform(*records)
        assert [a["recordId"] for a in answers] == [r["recordId"] for r in records]
        rows.update(row(a)["reading_id"] for a in answers if a["result"] == "Ok")
        refused += sum(a["result"] == "ProcessingFailed" for a in answers)
    assert rows == Counter(f"r{n}" for n, poison in enumerate(plan) if poison is None)
    assert refused == sum(poison is not None for poison in plan) > 1_500


def test_the_same_batch_again_gives_the_same_answer() -> None:
    records = [record(GOOD, number=n) for n in range(20)] + [record("poison", number=20)]
    assert transform(*records) == transform(*records)


def test_an_answer_stays_below_six_megabytes_and_what_does_not_fit_is_refused_not_lost() -> None:
    long = GOOD | {"reading_id": "é" * 128}
    answers = transform(*(record(long, number=n) for n in range(6_000)))
    assert len(json.dumps({"records": answers})) < 6_000_000
    assert len(answers) == 6_000
    results = Counter(a["result"] for a in answers)
    assert results["Ok"] > 3_000
    assert results["ProcessingFailed"] > 0


def test_counts_are_printed_as_a_metric_of_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    transform(record(GOOD), record("x", number=1))
    line = json.loads(capsys.readouterr().out)
    assert (line["Table"], line["RowsWritten"], line["RecordsRefused"]) == ("raw.telemetry", 1, 1)
    assert line["refused_not_an_object"] == 1


@pytest.mark.parametrize(
    "bad", [{}, {"SENSORS": "a"}, {"SENSORS": "a,a", "TABLE": "t"}, {"SENSORS": "A", "TABLE": "t"}]
)
def test_a_bad_environment_is_refused_by_name(bad: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=r"^(SENSORS|TABLE) must"):
        TransformSettings.parse(bad)


def test_the_entry_point_reads_the_environment_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENSORS", "temperature")
    monkeypatch.setenv("TABLE", "raw.telemetry")
    transform_readings._settings.cache_clear()
    answer = transform_readings.handler({"records": [record(GOOD)]}, None)
    assert answer["records"][0]["result"] == "Ok"
    transform_readings._settings.cache_clear()


@pytest.mark.parametrize("data", ["%%%", 5, "é"])
def test_a_record_whose_data_is_no_base64_fails_alone(data: Any, caplog: pytest.LogCaptureFixture) -> None:
    after, broken = transform(record(GOOD), record(GOOD, number=1) | {"data": data})
    assert (after["result"], broken["result"], broken["recordId"]) == ("Ok", "ProcessingFailed", "id1")
    assert [said.reason for said in caplog.records] == ["bad_encoding"]  # type: ignore[attr-defined]
