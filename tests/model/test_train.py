"""The training script: what it refuses, what it writes, and that it writes the same bytes each time."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from cdk_ml_lens.local.model_build import TrainingError, build_artifact
from cdk_ml_lens.local.simulator import FEATURES
from model_src.anomaly import detector, training_data

TRAIN = Path(__file__).parents[2] / "model_src" / "anomaly" / "train.py"
PYTHON = Path(sys.executable)


def train(folder: Path, csv: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "in").mkdir()
    (folder / "in" / "data.csv").write_text(csv)
    env = {
        **os.environ,
        "SM_CHANNEL_TRAIN": str(folder / "in"),
        "SM_MODEL_DIR": str(folder / "model"),
        "SM_OUTPUT_DATA_DIR": str(folder / "out"),
    }
    command = [str(PYTHON), str(TRAIN), "--trees", "10", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def table(rows: int = 200) -> str:
    values = np.random.default_rng(0).normal(size=(rows, 2))
    lines = [f"2025-01-01,{index},pump-1,{a:.4f},{b:.4f}" for index, (a, b) in enumerate(values)]
    return "timestamp,reading_id,device_id,a,b\n" + "\n".join(lines) + "\n"


def test_the_same_data_and_settings_give_the_same_bytes(training_csv: Path, artifact: Path, tmp_path: Path) -> None:
    again = build_artifact(
        training_csv, tmp_path / "again.tar.gz", quantile=0.999, seed=0, features=FEATURES, python=PYTHON
    )

    assert again.read_bytes() == artifact.read_bytes()


def test_the_artifact_has_the_layout_and_metadata_of_the_contract(artifact: Path, model_dir: Path) -> None:
    with tarfile.open(artifact) as archive:
        entries = archive.getmembers()
    metadata = json.loads((model_dir / "metadata.json").read_text())

    assert [entry.name for entry in entries] == ["code/inference.py", "metadata.json", "model.joblib"]
    assert {(entry.mtime, entry.uid, entry.uname) for entry in entries} == {(0, 0, "")}
    assert re.fullmatch("anomaly-[0-9a-f]{12}", metadata["model_version"])
    assert metadata["features"] == list(FEATURES)
    assert metadata["algorithm"] == "isolation-forest"
    assert metadata["quantile"] == 0.999
    assert metadata["numpy"] == np.__version__
    assert metadata["python"] == sys.version.split()[0]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    folder = tmp_path_factory.mktemp("trained")
    return train(folder, table()), folder


def metadata_of(folder: Path) -> dict[str, object]:
    return dict(json.loads((folder / "model" / "metadata.json").read_text()))


@pytest.mark.parametrize(("csv", "seed"), [(table(), "1"), (table().replace("0.", "0.0", 1), "0")])
def test_other_data_or_settings_give_another_model_version(
    trained: tuple[subprocess.CompletedProcess[str], Path], tmp_path: Path, csv: str, seed: str
) -> None:
    assert train(tmp_path, csv, "--seed", seed).returncode == 0
    assert metadata_of(tmp_path)["model_version"] != metadata_of(trained[1])["model_version"]


def test_a_training_job_needs_no_more_than_the_channel(
    trained: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    done, folder = trained
    found = re.search(r"^metric threshold=([0-9.]+)$", done.stdout, re.MULTILINE)
    written = json.loads((folder / "out" / "metrics.json").read_text())

    assert done.returncode == 0, done.stderr
    assert metadata_of(folder)["features"] == ["a", "b"]  # not the columns that name a row, though one is numeric
    assert found is not None
    assert float(found[1]) == pytest.approx(written["threshold"], abs=1e-6)
    assert written["rows"] == 200
    assert "200 rows are too few for the quantile 0.999" in done.stderr


@pytest.mark.parametrize(
    ("csv", "features", "fault"),
    [
        (table() + "t,x,p,nan,1\n", None, "data.csv line 202: 'a' must be a finite number, got 'nan'"),
        (table() + "t,x,p,1,-inf\n", None, "data.csv line 202: 'b' must be a finite number, got '-inf'"),
        (table() + "t,x,p,1,\n", None, "'b' must be a finite number, got ''"),
        (table() + "t,x,p,1\n", None, "'b' must be a finite number, got None"),
        (table(), ["a", "c"], "column 'c' is missing; the columns are timestamp, reading_id, device_id, a, b"),
        ("a,b\n" + "1.5,2\n" * 60 + "1.5,3\n", None, "got the same value in every one of 61 rows for a"),
        ("a,b\n", None, "got only headers"),
        ("name\nx\ny\n", None, "must have a numeric column"),
    ],
)
def test_fails_with_the_place_of_the_fault(tmp_path: Path, csv: str, features: list[str] | None, fault: str) -> None:
    (tmp_path / "data.csv").write_text(csv)

    with pytest.raises(training_data.TrainingDataError) as caught:
        training_data.load(tmp_path, features)
    assert fault in str(caught.value)


@pytest.mark.parametrize(
    ("csv", "arguments", "fault"),
    [
        (table(20), [], "error: the training files must hold at least 50 rows, got 20"),
        (table(), ["--features", "a,a"], "distinct column names"),
        (table(), ["--quantile", "1"], "must lie between 0 and 1"),
    ],
)
def test_a_refused_training_job_ends_with_the_reason_and_without_artifact(
    tmp_path: Path, csv: str, arguments: list[str], fault: str
) -> None:
    done = train(tmp_path, csv, *arguments)

    assert done.returncode != 0
    assert fault in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "model").exists()


def test_fails_without_any_csv_file(tmp_path: Path) -> None:
    with pytest.raises(training_data.TrainingDataError, match=r"at least one \*.csv file, got none"):
        training_data.load(tmp_path)


def test_several_files_are_one_channel(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("x\n3\n")
    (tmp_path / "a.csv").write_text("x\n1\n2\n")

    assert training_data.load(tmp_path).values.tolist() == [[1.0], [2.0], [3.0]]


def test_build_artifact_tells_why_training_failed(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\n1\n")

    with pytest.raises(TrainingError, match="error: a feature must change within the training data"):
        build_artifact(tmp_path / "t.csv", tmp_path / "m", quantile=0.9, seed=0, features=["a"], python=PYTHON)


def test_the_threshold_leaves_the_asked_share_of_held_out_rows_above_it() -> None:
    values = np.random.default_rng(3).normal(size=(2000, 3))
    settings = detector.Hyperparameters(trees=20, max_samples=128)
    held_out = [detector.held_out_scores(values, settings, fold) for fold in range(settings.folds)]

    threshold = detector.threshold_of(held_out, 0.99)

    assert [len(block) for block in held_out] == [400] * 5
    assert sum(int((block > threshold).sum()) for block in held_out) == 20


def test_held_out_scores_come_from_a_detector_that_has_not_seen_the_rows() -> None:
    values = np.random.default_rng(3).normal(size=(1000, 2))
    values[:200] += 30  # only the first block lies there
    settings = detector.Hyperparameters(trees=20, max_samples=128)

    held_out = detector.held_out_scores(values, settings, 0)
    never_saw_it = detector.fit(values[200:], settings)
    saw_it = detector.fit(values, settings)

    assert held_out.tolist() == detector.scores(never_saw_it, values[:200]).tolist()
    assert held_out.mean() > detector.scores(saw_it, values[:200]).mean()
