"""The demo through the real thing: train, deploy, provision, stream, account; small, but nothing is replaced."""

from __future__ import annotations

import json
import math
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cdk_ml_lens.local import LaptopCloud, cli, running
from cdk_ml_lens.local.cli_cloud import attach

pytestmark = pytest.mark.laptop_cloud


def demo(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any], str]:
    code = cli.main(["demo", "--json", *arguments])
    captured = capsys.readouterr()
    return code, json.loads(captured.out), captured.err


def test_a_simulated_fleet_is_accounted_for_and_its_failures_are_found(capsys: pytest.CaptureFixture[str]) -> None:
    code, result, progress = demo(
        capsys, "--devices", "2", "--readings", "100", "--failures", "4", "--rate", "60", "--seed", "3"
    )

    assert code == 0, progress
    assert (result["sent"], result["resent"], result["lost"], result["duplicates"]) == (207, 2, 0, 0)
    assert (result["scored"], result["quarantined"], result["misfiled"]) == (200, 7, 0)
    assert result["reasons"] == {
        "bad_encoding": 1, "missing_feature": 1, "not_an_object": 1, "not_finite": 2, "not_json": 1, "wrong_type": 1,
    }  # fmt: skip
    assert (result["windows_hit"], result["windows_total"]) == (4, 4)
    assert result["anomalies_outside_windows"] <= 2
    assert result["alerts"] == result["anomalies"] > 10
    assert 0 < result["p50_ms"] <= result["p99_ms"]
    assert result["model_version"].startswith("anomaly-")
    assert "provisioned by claim" in progress


def test_every_later_row_of_a_series_is_accounted_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start, rng = datetime(2024, 1, 1), random.Random(1)
    values = [f"{20 + 3 * math.sin(n * math.pi / 12) + rng.gauss(0, 0.5):.3f}" for n in range(1200)]
    values[700:706] = ["45.0"] * 6
    values[500] = "n/a"
    rows = [f"{start + timedelta(hours=n)},{value}" for n, value in enumerate(values)]
    data = tmp_path / "room.csv"
    data.write_text("timestamp,value\n" + "\n".join(rows) + "\n")
    windows = [[str(start + timedelta(hours=698)), str(start + timedelta(hours=708))]]
    (tmp_path / "room_windows.json").write_text(json.dumps(windows))

    code, result, progress = demo(capsys, "--data", str(data))

    assert code == 0, progress
    assert (result["training_rows"], result["sent"]) == (180, 1020)
    assert (result["scored"], result["quarantined"], result["lost"]) == (1019, 1, 0)
    assert result["reasons"] == {"wrong_type": 1}
    assert (result["windows_hit"], result["windows_total"]) == (1, 1)
    assert result["windows"][0]["anomalies"] > result["windows"][0]["expected"]


def test_a_kept_cloud_stays_until_it_is_taken_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    small = ("--keep", "--devices", "1", "--readings", "60", "--failures", "1", "--rate", "60")
    code, result, progress = demo(capsys, *small)
    found = running.load(tmp_path)
    assert found is not None
    try:
        assert code == 0, progress
        assert result["lost"] == 0
        assert f"export AWS_ENDPOINT_URL={found.endpoint_url}" in progress
        stack = attach(found).client("cloudformation").describe_stacks(StackName="IotInference")["Stacks"][0]
        assert stack["StackStatus"] == "CREATE_COMPLETE"
        assert cli.main(["demo", *small]) == 1
        assert "a laptop cloud runs already" in capsys.readouterr().err
    finally:
        assert cli.main(["down"]) == 0
    assert not found.alive()


def test_a_failure_before_the_first_message_leaves_no_cloud(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cdk.json").write_text(json.dumps({"app": "python app.py"}))
    (tmp_path / "app.py").write_text("raise SystemExit('the app is broken')")
    monkeypatch.chdir(tmp_path)
    started, start = [], LaptopCloud.start

    def starting(**options: Any) -> LaptopCloud:
        cloud = start(**options)
        started.append(cloud.pid)
        return cloud

    monkeypatch.setattr(LaptopCloud, "start", starting)
    assert cli.main(["demo", "--app", str(tmp_path), "--devices", "1", "--readings", "60", "--failures", "1"]) == 1
    assert "the app is broken" in capsys.readouterr().err
    assert [running.process_identity(pid) for pid in started] == [None]
