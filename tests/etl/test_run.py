"""Runs over folders: accounts that close, the same version twice, nothing after a kill, a refused batch kept apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from ml_lens_etl import steps
from ml_lens_etl.publish import QualityError
from tests.etl import reference
from tests.etl.lake import Lake

STANDARD = reference.definition(normalisation={"method": "standard", "per": "device"})


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake(tmp_path, STANDARD)
    for seed, device in enumerate(("d1", "d2", "d3")):
        made.put(device, reference.series(seed, length=300))
    return made


def test_every_zone_accounts_for_every_row(lake: Lake) -> None:
    clean, normalised, features = lake.pipeline()
    sent = pl.read_parquet(lake.home / "raw" / "**" / "*.parquet", hive_partitioning=False)
    assert clean["in"] == len(sent)
    for account in (clean, normalised, features):
        assert account["in"] == account["out"] + sum(account["quarantined"].values())
    assert (normalised["in"], features["in"], features["out"]) == (clean["out"],) * 3
    refused = pl.read_parquet(lake.home / "quarantine" / "modelled" / "rows" / "**" / "*.parquet")
    assert dict(refused.group_by("reason").len().iter_rows()) == clean["quarantined"]
    assert len(clean["quarantined"]) >= 3
    assert len(lake.table("transformed")) == features["out"]


def test_the_same_input_publishes_the_same_version_and_writes_nothing_new(lake: Lake) -> None:
    first = lake.pipeline()
    written = {path: path.stat().st_mtime_ns for path in lake.home.rglob("*") if path.is_file()}
    again = lake.pipeline()
    assert [a["version"] for a in again] == [a["version"] for a in first]
    assert all(a["unchanged"] for a in again)
    assert {path: path.stat().st_mtime_ns for path in lake.home.rglob("*") if path.is_file()} == written


def test_new_input_is_a_new_version_and_the_old_one_stays_readable(lake: Lake) -> None:
    before = lake.run("clean")
    old = lake.table("modelled")
    lake.put("d4", reference.series(9))
    after = lake.run("clean")
    assert after["version"] != before["version"]
    assert set(lake.table("modelled")["device_id"]) == {"d1", "d2", "d3", "d4"}
    kept = pl.concat(
        [
            pl.read_parquet(file)
            for file in sorted((lake.home / "modelled").rglob("*.parquet"))
            if before["version"] in str(file)
        ]
    )
    assert_frame_equal(kept.sort("device_id", "event_time"), old)


@pytest.mark.parametrize("survived", [0, 1, 2])
def test_a_run_that_dies_publishes_nothing_and_the_next_one_is_whole(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, survived: int
) -> None:
    lake.run("clean")
    published = lake.table("modelled")
    lake.put("d4", reference.series(9))
    done: list[str] = []
    real = steps.run_task

    def dies(task: Any) -> Any:
        if len(done) == survived:
            raise KeyboardInterrupt
        done.append(task.device)
        return real(task)

    monkeypatch.setattr(steps, "run_task", dies)
    with pytest.raises(KeyboardInterrupt):
        lake.run("clean")
    assert_frame_equal(lake.table("modelled"), published)
    monkeypatch.undo()
    lake.run("clean")
    assert set(lake.table("modelled")["device_id"]) == {"d1", "d2", "d3", "d4"}


def test_a_run_that_dies_before_the_switch_is_switched_by_the_next_one(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ml_lens_etl import publish

    def dies(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(publish, "switch", dies)
    with pytest.raises(KeyboardInterrupt):
        lake.run("clean")
    assert lake.table("modelled").is_empty()
    monkeypatch.undo()
    account = lake.run("clean")
    assert len(lake.table("modelled")) == account["out"] > 0


def test_a_refused_batch_is_quarantined_whole_with_the_rule_named(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    lake.run("clean")
    before = lake.table("modelled")
    lake.put("d9", [{**row, "temperature": 1e5} for row in reference.series(5)])
    rule = 'ColumnValues "temperature" between -50 and 100 with threshold >= 0.95'
    with pytest.raises(QualityError, match="ColumnValues"):
        lake.run("clean", quality=json.dumps(["RowCount >= 1", rule]))
    assert_frame_equal(lake.table("modelled"), before)
    kept = next((lake.home / "quarantine" / "modelled" / "batch").iterdir())
    failed = json.loads((kept / "_failed.json").read_text())
    assert failed["failed_rules"] == [rule]
    assert sum(len(pl.read_parquet(file)) for file in kept.rglob("*.parquet")) == failed["rows"]["out"]
    assert not any(failed["version"] in str(path) for path in (lake.home / "modelled").rglob("*.parquet"))
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["refused"]["failed_rules"] == [rule]


def test_too_many_refused_rows_refuse_the_batch(lake: Lake) -> None:
    with pytest.raises(QualityError, match="quarantined share"):
        lake.run("clean", max_quarantined_share="0.01")
    assert lake.table("modelled").is_empty()


def test_a_device_cut_by_time_gives_the_same_table(lake: Lake, tmp_path: Path) -> None:
    lake.pipeline()
    cut = Lake(tmp_path / "cut", STANDARD)
    for seed, device in enumerate(("d1", "d2", "d3")):
        cut.put(device, reference.series(seed, length=300))
    accounts = cut.pipeline(rows_per_task="40")
    parts = list((cut.home / "transformed").rglob("part-00005.parquet"))
    assert parts, "the devices were not cut"
    assert accounts[0]["in"] == lake.run("clean")["in"]
    for name in ("modelled", "enhanced", "transformed"):
        assert_frame_equal(cut.table(name), lake.table(name), rel_tol=1e-9, abs_tol=1e-12)


def test_an_empty_lake_publishes_nothing_and_says_so(tmp_path: Path) -> None:
    account = Lake(tmp_path, STANDARD).run("clean")
    assert (account["in"], account["published"]) == (0, False)


def test_parameters_are_of_the_training_split_alone(lake: Lake) -> None:
    lake.pipeline()
    current = json.loads((lake.home / "artifacts" / "current.json").read_text())
    features, modelled = lake.table("transformed"), lake.table("modelled")
    training = modelled.join(features.filter(pl.col("split") == "train"), on=["device_id", "reading_id"], how="semi")
    measured = training.filter((pl.col("device_id") == "d2") & ~pl.col("temperature_held"))["temperature"]
    centre, scale = current["devices"]["d2"]["temperature"]
    assert centre == pytest.approx(measured.mean(), rel=1e-12)
    assert scale == pytest.approx(measured.std(ddof=0), rel=1e-12)
    order = features.group_by("split").agg(pl.col("event_time").min()).sort("event_time")["split"].to_list()
    assert order == ["train", "validation", "test"]
