"""The training set: every row of the feature table once, by split, with a manifest that comes last."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from jobs import export_dataset
from ml_lens_etl import store
from tests.etl import reference
from tests.etl.lake import Lake

DEFINITION = reference.definition()
FEATURES = [feature["name"] for feature in json.loads(DEFINITION)["features"]]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake(tmp_path, DEFINITION)
    for seed, device in enumerate(("d1", "d2")):
        made.put(device, reference.series(seed, length=200))
    made.pipeline()
    return made


def exported(lake: Lake) -> dict[str, Any]:
    given = ["--source", str(lake.home / "transformed"), "--datasets", str(lake.home / "datasets")]
    return export_dataset.main(["--JOB_NAME", "job", *given])


def rows_of(prefix: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for file in sorted(Path(prefix).glob("*.csv")):
        with file.open(newline="") as opened:
            found += csv.DictReader(opened)
    return found


def test_every_row_without_null_is_in_its_split_with_its_numbers(lake: Lake) -> None:
    manifest = exported(lake)
    table = lake.table("transformed")
    whole = table.drop_nulls(FEATURES)
    assert manifest["dropped"] == len(table) - len(whole) > 0
    assert manifest["features"] == FEATURES
    for split, prefix in manifest["splits"].items():
        expected = whole.filter(pl.col("split") == split)
        rows = rows_of(prefix)
        assert len(rows) == manifest["rows"][split] == len(expected) > 0
        assert list(rows[0]) == ["timestamp", *FEATURES]
        for name in FEATURES:
            assert [float(row[name]) for row in rows] == expected[name].to_list()


def test_the_manifest_names_the_table_and_is_the_current_one(lake: Lake) -> None:
    manifest = exported(lake)
    datasets = lake.home / "datasets"
    assert json.loads((datasets / "current.json").read_text()) == manifest
    assert json.loads((datasets / manifest["version"] / "dataset.json").read_text()) == manifest
    assert manifest["table_version"] == lake.run("features")["version"]


def test_a_second_run_writes_nothing_and_new_data_is_a_new_dataset(lake: Lake) -> None:
    first = exported(lake)
    written = {path: path.stat().st_mtime_ns for path in lake.home.rglob("*") if path.is_file()}
    assert exported(lake) == first
    assert {path: path.stat().st_mtime_ns for path in lake.home.rglob("*") if path.is_file()} == written
    lake.put("d3", reference.series(9))
    lake.pipeline()
    second = exported(lake)
    assert (second["version"], second["sha256"]) != (first["version"], first["sha256"])
    assert rows_of(first["splits"]["train"])


def test_a_run_that_dies_leaves_the_current_dataset(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    first = exported(lake)
    lake.put("d3", reference.series(9))
    lake.pipeline()
    real = store.FolderStore.write

    def dies(self: Any, uri: str, body: bytes) -> None:
        if "/test/" in uri:
            raise KeyboardInterrupt
        real(self, uri, body)

    monkeypatch.setattr(store.FolderStore, "write", dies)
    with pytest.raises(KeyboardInterrupt):
        exported(lake)
    monkeypatch.undo()
    assert json.loads((lake.home / "datasets" / "current.json").read_text()) == first
    assert exported(lake)["rows"]["test"] > first["rows"]["test"]


def test_fails_without_a_published_table(tmp_path: Path) -> None:
    with pytest.raises(export_dataset.NothingPublishedError, match="no published version"):
        exported(Lake(tmp_path, DEFINITION))
