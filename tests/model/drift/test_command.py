"""The commands of the processing jobs: from files as SageMaker AI lays them out to the report."""

from __future__ import annotations

import base64
import csv
import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cdk_ml_lens.local.readings import write_csv
from cdk_ml_lens.local.simulator import FEATURES as INPUTS
from cdk_ml_lens.local.simulator import training_set
from model_src.drift.__main__ import main
from model_src.drift.captures import read_captures

ROOT = Path(__file__).resolve().parents[3]
FEATURES = ("temperature", "vibration")


def split(folder: Path, *, rows: int = 4000, seed: int = 0) -> Path:
    """Write a split in two parts, the later rows in the first one."""
    folder.mkdir(parents=True)
    values = np.random.default_rng(seed).normal((20, 3), (2, 0.5), size=(rows, 2))
    half = rows // 2
    for part, first in (("part-1", 0), ("part-0", half)):
        with (folder / f"{part}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["timestamp", *FEATURES])
            for place in range(first, first + half):
                moment = f"2026-11-{1 + place // 1440:02}T{place // 60 % 24:02}:{place % 60:02}:00Z"
                writer.writerow([moment, *values[place]])
    return folder


def capture(place: int, cells: list[float], *, encoding: str = "CSV", answer: float = 0.4) -> dict[str, Any]:
    text = ",".join(str(cell) for cell in cells)
    data = base64.b64encode(text.encode()).decode() if encoding == "BASE64" else text
    reply = json.dumps({"score": answer, "threshold": 0.6, "anomaly": False})
    return {
        "captureData": {
            "endpointInput": {"observedContentType": "text/csv", "mode": "INPUT", "data": data, "encoding": encoding},
            "endpointOutput": {
                "observedContentType": "application/jsonlines",
                "mode": "OUTPUT",
                "data": reply,
                "encoding": "JSON",
            },
        },
        "eventMetadata": {
            "eventId": f"event-{place}",
            "inferenceId": f"reading-{place}",
            "inferenceTime": f"2026-11-21T{place // 60 % 24:02}:{place % 60:02}:00Z",
        },
        "eventVersion": "0",
    }


def captured(folder: Path, *, shift: float = 0.0, rows: int = 300, encoding: str = "CSV") -> Path:
    hour = folder / "2026/11/21/08"
    hour.mkdir(parents=True)
    values = np.random.default_rng(9).normal((20 + shift, 3), (2, 0.5), size=(rows, 2)).tolist()
    lines = [json.dumps(capture(place, cells, encoding=encoding)) for place, cells in enumerate(values)]
    (hour / "00-00-000-a.jsonl").write_text("\n".join(lines[:200]) + "\n")
    (hour / "05-00-000-b.jsonl").write_text("\n".join(lines[190:]) + "\n")  # ten records lie in both files
    return folder


def baseline(tmp_path: Path) -> Path:
    out = tmp_path / "baseline"
    options = ["--version", "model-1", "--made-from", "data-1", "--output", str(out)]
    assert main(["baseline", "--train", str(split(tmp_path / "train")), *options]) == 0
    return out


def report(tmp_path: Path, captures: Path, *more: str) -> tuple[dict[str, Any], dict[str, Any]]:
    out = tmp_path / "report"
    span = ["--monitor", "press", "--start", "2026-11-21T07:00:00Z", "--end", "2026-11-21T08:00:00Z"]
    folder = tmp_path / "baseline" if (tmp_path / "baseline").is_dir() else baseline(tmp_path)
    given = ["--captures", str(captures), "--baseline", str(folder), "--output", str(out)]
    assert main(["report", *given, *span, *more]) == 0
    return json.loads((out / "report.json").read_text()), json.loads((out / "metrics.json").read_text())


def number(metrics: dict[str, Any], name: str) -> float | None:
    found = [datum["Value"] for datum in metrics["MetricData"] if datum["MetricName"] == name]
    return found[0] if found else None


def test_a_baseline_describes_each_feature_of_the_split(tmp_path: Path) -> None:
    made = json.loads((baseline(tmp_path) / "baseline.json").read_text())
    assert (made["version"], made["made_from"], made["prediction"]) == ("model-1", "data-1", None)
    assert list(made["features"]) == list(FEATURES)
    temperature = made["features"]["temperature"]
    assert (temperature["kind"], temperature["count"], temperature["missing"]) == ("number", 4000, 0)
    assert temperature["mean"] == pytest.approx(20, abs=0.15)
    assert temperature["std"] == pytest.approx(2, abs=0.1)
    assert len(temperature["sample"]) == 1000
    assert temperature["quantiles"][0] == temperature["min"]


def test_the_manifest_of_the_data_set_names_the_features(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = tmp_path / "dataset" / "dataset.json"
    manifest.parent.mkdir()
    given = ["--train", str(split(tmp_path / "train")), "--dataset", str(manifest.parent), "--version", "1"]
    given += ["--made-from", "1", "--output", str(tmp_path)]
    assert main(["baseline", *given]) == 1
    assert "must hold the manifest" in capsys.readouterr().err
    manifest.write_text(json.dumps({"features": ["vibration"]}))
    assert main(["baseline", *given]) == 0
    assert list(json.loads((tmp_path / "baseline.json").read_text())["features"]) == ["vibration"]


@pytest.mark.parametrize("encoding", ["CSV", "BASE64"])
def test_traffic_like_the_training_data_has_not_drifted(tmp_path: Path, encoding: str) -> None:
    found, metrics = report(tmp_path, captured(tmp_path / "captures", encoding=encoding))
    assert (found["rows"], found["judged"], found["drifted"], found["violations"]) == (300, True, False, [])
    assert found["window"] == {"start": "2026-11-21T07:00:00Z", "end": "2026-11-21T08:00:00Z"}
    assert found["baseline"] == {"version": "model-1", "made_from": "data-1", "without_answers": None}
    assert (number(metrics, "DriftDetected"), number(metrics, "Rows")) == (0, 300)


def test_a_shift_of_a_sensor_is_reported_by_feature_and_as_metrics(tmp_path: Path) -> None:
    found, metrics = report(tmp_path, captured(tmp_path / "captures", shift=2.0))
    assert found["drifted"]
    assert {violation["feature"] for violation in found["violations"]} == {"temperature"}
    assert set(found["violations"][0]) == {"feature", "check", "statistic", "value", "limit", "p_value"}
    assert found["features"]["temperature"]["wasserstein"] == pytest.approx(1, abs=0.2)
    assert number(metrics, "DriftDetected") == 1
    assert metrics["Namespace"] == "CdkMlLens/Drift"
    dimensions = [{dim["Name"]: dim["Value"] for dim in datum["Dimensions"]} for datum in metrics["MetricData"]]
    assert {"Monitor": "press"} in dimensions
    assert {"Monitor": "press", "Feature": "temperature"} in dimensions


def test_a_short_window_has_rows_and_no_verdict(tmp_path: Path) -> None:
    found, metrics = report(tmp_path, captured(tmp_path / "captures"), "--minimum-rows", "301")
    assert (found["judged"], found["drifted"]) == (False, False)
    assert number(metrics, "Rows") == 300
    assert number(metrics, "DriftDetected") is None


def test_rows_of_another_width_are_of_no_type(tmp_path: Path) -> None:
    folder = tmp_path / "captures"
    folder.mkdir()
    lines = [json.dumps(capture(place, [20.0, 3.0, 1.0])) for place in range(150)]
    (folder / "a.jsonl").write_text("\n".join(lines))
    found, _ = report(tmp_path, folder)
    assert {violation["check"] for violation in found["violations"]} == {"type"}


def test_features_by_name_and_many_rows_of_a_request_are_read(tmp_path: Path) -> None:
    record = capture(1, [])
    asked = record["captureData"]["endpointInput"]
    asked["encoding"], asked["observedContentType"] = "JSON", "application/jsonlines"
    asked["data"] = '{"vibration": 3, "temperature": 20}\n{"features": [21, null]}\n'
    record["captureData"]["endpointOutput"]["data"] = '{"score": 0.1}\n{"score": 0.2}\n'
    (tmp_path / "a.jsonl").write_text(json.dumps(record))
    first, second = read_captures(tmp_path, answer_field="score")
    assert (first.key, first.cells, first.prediction) == ("reading-1#0", {"vibration": 3, "temperature": 20}, 0.1)
    assert (second.key, second.cells, second.prediction) == ("reading-1#1", [21, None], 0.2)


def test_an_empty_split_ends_with_the_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "train").mkdir()
    given = ["--train", str(tmp_path / "train"), "--version", "1", "--made-from", "1", "--output", str(tmp_path)]
    assert main(["baseline", *given, "--message", str(tmp_path / "output" / "message")]) == 1
    told = (tmp_path / "output" / "message").read_text()
    assert told.startswith("error: the split must hold at least one row")
    assert capsys.readouterr().err == told


def test_a_baseline_of_predictions_is_made_by_the_models_own_code(tmp_path: Path, artifact: Path) -> None:
    write_csv(tmp_path / "rows.csv", training_set(seed=5, rows=504), features=INPUTS)
    folders = {name: tmp_path / name for name in ("train", "held-out", "model")}
    for name, source in (("train", "rows.csv"), ("held-out", "rows.csv")):
        folders[name].mkdir()
        (folders[name] / "a.csv").write_bytes((tmp_path / source).read_bytes())
    folders["model"].mkdir()
    (folders["model"] / "model.tar.gz").write_bytes(artifact.read_bytes())
    given = [word for name, folder in folders.items() for word in (f"--{name}", str(folder))]
    assert main(["baseline", *given, "--version", "1", "--made-from", "1", "--output", str(tmp_path / "out")]) == 0
    made = json.loads((tmp_path / "out" / "baseline.json").read_text())
    assert made["prediction"]["count"] == 504
    assert 0 < made["prediction"]["mean"] < 1


@pytest.mark.parametrize(
    ("script", "reason"),
    [(None, "carries no code/inference.py"), ("import no_such_library\n", "cannot be imported in this image")],
)
def test_a_model_that_cannot_be_asked_here_leaves_features_and_the_reason(
    tmp_path: Path, script: str | None, reason: str
) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / ("inference.py" if script else "other.txt")).write_text(script or "weights")
    (tmp_path / "model").mkdir()
    with tarfile.open(tmp_path / "model" / "model.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "code", "code")
    folder = str(split(tmp_path / "train"))
    given = ["--train", folder, "--held-out", folder, "--model", str(tmp_path / "model")]
    assert main(["baseline", *given, "--version", "1", "--made-from", "1", "--output", str(tmp_path)]) == 0
    made = json.loads((tmp_path / "baseline.json").read_text())
    assert (list(made["features"]), made["prediction"]) == (list(FEATURES), None)
    assert reason in made["without_answers"]


def test_the_package_runs_as_a_module(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "drift", "report", "--help"]
    done = subprocess.run(command, cwd=ROOT / "model_src", capture_output=True, text=True, check=True)
    assert "--false-alarm-rate" in done.stdout
