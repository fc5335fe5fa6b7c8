"""A training that was interrupted goes on where it was and ends with the same bytes."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest

from model_src.anomaly import checkpoints
from tests.model.training_jobs import command_of, files_of, run_training


def channel(folder: Path, rows: int = 3000) -> Path:
    values = np.random.default_rng(0).normal(size=(rows, 3))
    (folder / "in").mkdir(parents=True, exist_ok=True)
    lines = [",".join(f"{value:.5f}" for value in row) for row in values]
    (folder / "in" / "part-0.csv").write_text("a,b,c\n" + "\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    folder = channel(tmp_path_factory.mktemp("undisturbed"))
    done = run_training(folder)
    assert done.returncode == 0, done.stderr
    return folder, files_of(folder / "model")


def test_without_a_checkpoint_folder_nothing_is_kept(undisturbed: tuple[Path, dict[str, bytes]]) -> None:
    assert not (undisturbed[0] / "checkpoints").exists()


def test_a_killed_training_goes_on_after_its_last_block_and_gives_the_same_bytes(
    undisturbed: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    folder = channel(tmp_path)
    (folder / "checkpoints").mkdir()
    with subprocess.Popen(**command_of(folder), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("checkpoint 2 of 5"):
                process.send_signal(signal.SIGKILL)
                break
    assert not (folder / "model").exists()

    resumed = run_training(folder)

    assert resumed.returncode == 0, resumed.stderr
    assert "checkpoint 2 of 5 (resumed)\n" in resumed.stdout
    assert files_of(folder / "model") == undisturbed[1]


def test_a_damaged_checkpoint_and_those_of_other_settings_are_not_used(
    undisturbed: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    folder = channel(tmp_path)
    (folder / "checkpoints").mkdir()
    assert run_training(folder, "--seed", "1").returncode == 0
    (other,) = (folder / "checkpoints").iterdir()
    first = run_training(folder)
    (mine,) = set((folder / "checkpoints").iterdir()) - {other}
    (mine / "fold-1").write_bytes((mine / "fold-1").read_bytes()[:-8])

    again = run_training(folder)

    assert "(resumed)" not in first.stdout
    assert again.stdout.count("(resumed)") == 4
    assert "fold-1 is damaged and not used" in again.stderr
    assert files_of(folder / "model") == undisturbed[1]


def test_a_part_is_there_only_when_it_is_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = checkpoints.Checkpoints(folder=tmp_path, run="r")
    monkeypatch.setattr(Path, "replace", lambda self, target: self)  # the process ends before the rename
    kept.save("part", b"content")
    assert kept.load("part") is None

    monkeypatch.undo()
    kept.save("part", b"content")
    assert kept.load("part") == b"content"


def test_the_folder_is_the_one_that_sagemaker_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAGEMAKER_BASE_DIR", raising=False)
    assert str(checkpoints.default_folder()) == "/opt/ml/checkpoints"

    monkeypatch.setenv("SAGEMAKER_BASE_DIR", "/tmp/job")
    assert str(checkpoints.default_folder()) == "/tmp/job/checkpoints"
