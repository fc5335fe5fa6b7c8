"""The job that feeds Feature Store: one record per device, its newest, with the numbers of the table."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from jobs import put_features
from tests.etl import reference
from tests.etl.lake import Lake

DEFINITION = reference.definition()
FEATURES = [feature["name"] for feature in json.loads(DEFINITION)["features"]]


class FakeFeatureStore:
    """Keeps the records put into it; knows no feature groups, no types and no limits."""

    def __init__(self) -> None:
        self.records: list[dict[str, str]] = []
        self.groups: set[str] = set()

    def put_record(self, *, FeatureGroupName: str, Record: list[dict[str, str]]) -> None:  # noqa: N803, as boto3 has it
        """Keep it."""
        self.groups.add(FeatureGroupName)
        self.records.append({item["FeatureName"]: item["ValueAsString"] for item in Record})


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake(tmp_path, DEFINITION)
    for seed, device in enumerate(("d1", "d2")):
        made.put(device, reference.series(seed, length=60))
    made.pipeline(rows_per_task="20")  # several files per device
    return made


def fed(lake: Lake) -> FakeFeatureStore:
    store = FakeFeatureStore()
    given = {"source": str(lake.home / "transformed"), "feature_group": "turbines", "features": json.dumps(FEATURES)}
    arguments = ["--JOB_NAME", "job", *(part for name, value in given.items() for part in (f"--{name}", value))]
    assert put_features.main(arguments, store) == {"feature_group": "turbines", "records": 2}
    return store


def test_each_device_has_one_record_of_its_newest_reading(lake: Lake) -> None:
    store = fed(lake)
    assert store.groups == {"turbines"}
    table = lake.table("transformed")
    for record in store.records:
        newest = table.filter(device_id=record["device_id"]).row(-1, named=True)
        assert record["reading_id"] == newest["reading_id"]
        assert record["event_time"] == newest["event_time"].isoformat(timespec="milliseconds").replace("+00:00", "Z")
        numbers = {name: record.get(name) for name in FEATURES}
        assert numbers == {name: None if newest[name] is None else repr(newest[name]) for name in FEATURES}
    assert sorted(record["device_id"] for record in store.records) == ["d1", "d2"]


def test_the_table_has_several_files_of_a_device(lake: Lake) -> None:
    location = Path((lake.home / "transformed" / "_current").read_text())
    assert len(list((location / "device_id=d1").glob("*.parquet"))) > 1


def test_a_null_is_left_out() -> None:
    row: dict[str, Any] = {
        "device_id": "d1",
        "reading_id": "r1",
        "event_time": datetime(2026, 11, 21, 7, 0, 0, 250_000, tzinfo=UTC),
        "temperature": None,
        "vibration": 0.1,
    }
    record = put_features.record(row, ["temperature", "vibration"])
    names = [item["FeatureName"] for item in record]
    assert names == ["device_id", "event_time", "reading_id", "vibration"]
    assert record[1]["ValueAsString"] == "2026-11-21T07:00:00.250Z"


def test_feeding_twice_puts_the_same_records(lake: Lake) -> None:
    assert fed(lake).records == fed(lake).records
