"""The demo through the real thing: train, deploy, provision, stream, account; small, but nothing is replaced."""

from __future__ import annotations

import json
import math
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cdk_ml_lens.local import cli

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
