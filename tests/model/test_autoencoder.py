"""The autoencoder, where PyTorch is installed: it finds failures, resumes to the same bytes, and is judged like all."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from cdk_ml_lens.local.model_build import pack
from cdk_ml_lens.local.readings import write_csv
from cdk_ml_lens.local.simulator import FEATURES, simulate, training_set
from model_src.anomaly.artifact import open_artifact
from tests.model.training_jobs import MODEL_SRC, command_of, files_of, run_training

pytest.importorskip("torch", reason="PyTorch is not in the locked environment: run this where it is installed")
PROGRAM = "autoencoder/train.py"
SMALL = ("--epochs", "4", "--folds", "2", "--hidden", "4")


def channel(folder: Path, rows: int = 3000) -> Path:
    write_csv(folder / "in" / "part-0.csv", training_set(seed=900, rows=rows), features=FEATURES)
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = channel(tmp_path_factory.mktemp("autoencoder"))
    done = run_training(folder, "--features", ",".join(FEATURES), program=PROGRAM)
    assert done.returncode == 0, done.stderr
    assert "metric threshold=" in done.stdout
    return folder / "model"


@pytest.fixture
def serving(trained: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the serving code of the artifact, imported as the container does."""
    monkeypatch.syspath_prepend(trained / "code")
    for name in ("inference", "network", "wire"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import importlib

    return importlib.import_module("inference")


def answers(serving: ModuleType, trained: Path) -> Callable[[str], list[dict[str, object]]]:
    model = serving.model_fn(str(trained))

    def ask(body: str) -> list[dict[str, object]]:
        text, kind = serving.output_fn(serving.predict_fn(serving.input_fn(body, "text/csv"), model), "*/*")
        assert kind == "application/jsonlines"
        return [json.loads(line) for line in text.splitlines()]

    return ask


def test_the_artifact_holds_its_weights_its_code_and_its_version(trained: Path) -> None:
    metadata = json.loads((trained / "metadata.json").read_text())

    assert sorted(files_of(trained)) == ["inference.py", "metadata.json", "model.pt", "network.py", "wire.py"]
    assert metadata["algorithm"] == "autoencoder"
    assert metadata["shape"] == {"features": 4, "hidden": 32, "bottleneck": 2}
    assert metadata["model_version"].startswith("autoencoder-")


@pytest.mark.parametrize("seed", [21, 22, 23])
def test_nine_of_ten_failures_are_found_with_few_false_alarms(trained: Path, tmp_path: Path, seed: int) -> None:
    simulation = simulate(devices=5, readings_per_device=200, failures=10, seed=seed)
    values = np.array([[reading.features[name] for name in FEATURES] for reading in simulation.readings], dtype=float)
    pack(trained, tmp_path / "model.tar.gz")
    model = open_artifact(tmp_path, tmp_path / "unpacked", role="candidate")
    scores = model.score(values)
    alerts = {(r.device_id, r.index) for r, s in zip(simulation.readings, scores, strict=True) if s > model.threshold}
    inside = [
        {(window.device_id, index) for index in range(window.start_index, window.end_index)}
        for window in simulation.windows
    ]

    assert sum(bool(alerts & window) for window in inside) >= 9
    assert len(alerts - set().union(*inside)) <= 14  # 2 % of the 700 readings outside the windows


def test_it_is_served_line_by_line_with_its_version(serving: ModuleType, trained: Path) -> None:
    rows = answers(serving, trained)("70.3,2.35,11.5,1490\n115.0,2.35,11.5,1490\n1e308,-1e308,1e200,-1e39\n")

    assert [row["anomaly"] for row in rows] == [False, True, True]
    assert all(np.isfinite(float(str(row["score"]))) for row in rows)
    assert {row["model_version"] for row in rows} == {
        json.loads((trained / "metadata.json").read_text())["model_version"]
    }


def test_fails_for_another_number_of_features(serving: ModuleType, trained: Path) -> None:
    with pytest.raises(serving.UnreadableInputError, match="each row must hold 4 values"):
        answers(serving, trained)("1,2,3\n")


def test_fails_to_load_what_another_pytorch_made(serving: ModuleType, trained: Path, tmp_path: Path) -> None:
    metadata = json.loads((trained / "metadata.json").read_text())
    (tmp_path / "metadata.json").write_text(json.dumps({**metadata, "torch": "1.13.1"}))

    with pytest.raises(serving.IncompatibleArtifactError, match="was made with PyTorch 1.13.1"):
        serving.model_fn(str(tmp_path))


def test_a_killed_training_goes_on_after_its_last_epoch_and_gives_the_same_bytes(tmp_path: Path) -> None:
    undisturbed, folder = channel(tmp_path / "a", 1500), channel(tmp_path / "b", 1500)
    assert run_training(undisturbed, *SMALL, program=PROGRAM).returncode == 0
    (folder / "checkpoints").mkdir()
    with subprocess.Popen(**command_of(folder, *SMALL, program=PROGRAM), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("checkpoint 3 of 4 (fold-1)"):
                process.send_signal(signal.SIGKILL)
                break
    assert not (folder / "model").exists()

    resumed = run_training(folder, *SMALL, program=PROGRAM)

    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stdout.startswith("resumed after epoch 4\nresumed after epoch ")
    assert "(all)" not in resumed.stdout
    assert files_of(folder / "model") == files_of(undisturbed / "model")


def test_the_validation_loss_is_told_after_each_epoch_and_falls(tmp_path: Path) -> None:
    folder = channel(tmp_path, 1000)
    write_csv(folder / "validation" / "part-0.csv", training_set(seed=902, rows=300), features=FEATURES)
    done = run_training(folder, "--epochs", "20", "--folds", "2", "--hidden", "8", program=PROGRAM)
    losses = [float(found) for found in re.findall(r"metric validation_loss=([0-9.eE+-]+)", done.stdout)]

    assert done.returncode == 0, done.stderr
    assert len(losses) == 20
    assert losses[-1] < losses[0] / 2


def test_the_evaluation_judges_it_beside_the_forest(trained: Path, artifact: Path, tmp_path: Path) -> None:
    pack(trained, tmp_path / "model" / "model.tar.gz")
    (tmp_path / "champion").mkdir()
    (tmp_path / "champion" / "model.tar.gz").write_bytes(artifact.read_bytes())
    write_csv(tmp_path / "test" / "part-0.csv", training_set(seed=901, rows=800), features=FEATURES)
    places = [f"--{name}={tmp_path / name}" for name in ("test", "model", "champion", "output")]
    command = [sys.executable, str(MODEL_SRC / "anomaly" / "evaluate.py"), "--root", str(tmp_path), *places]
    done = subprocess.run(
        [*command, "--dataset-version", "v1", "--champion-arn", "arn:x"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)

    assert report["candidate"]["model_version"].startswith("autoencoder-")
    assert report["champion"]["model_version"].startswith("anomaly-")
    assert report["candidate"]["metrics"]["auc_injected"] > 0.95


def test_useless_data_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "p.csv").write_text("a,b\n" + "".join(f"{i},{i % 7}\n" for i in range(20)))
    done = run_training(tmp_path, program=PROGRAM)

    assert done.returncode == 1
    assert done.stderr == "error: the training files must hold at least 50 rows, got 20\n"
    assert not (tmp_path / "model").exists()
