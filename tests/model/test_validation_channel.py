"""The validation channel of a training: a metric to tune by, and no influence on the model."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import pytest

from tests.model.training_jobs import files_of, run_training

TRAININGS = [
    pytest.param(("anomaly/train.py", "--trees", "10"), id="forest"),
    pytest.param(
        ("autoencoder/train.py", "--epochs", "30", "--hidden", "8"),
        id="autoencoder",
        marks=pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here"),
    ),
]


def channels(folder: Path, validation: str | None) -> Path:
    """Write a training channel of two related columns, and a validation channel."""
    (folder / "in").mkdir(parents=True)
    (folder / "in" / "part-0.csv").write_text(table(0, 400))
    if validation is not None:
        (folder / "validation").mkdir()
        (folder / "validation" / "part-0.csv").write_text(validation)
    return folder


def table(seed: int, rows: int) -> str:
    first, noise = np.random.default_rng(seed).normal(size=(2, rows))
    return "a,b\n" + "".join(f"{x:.4f},{2 * x + 0.1 * y:.4f}\n" for x, y in zip(first, noise, strict=True))


@pytest.mark.parametrize("training", TRAININGS)
def test_it_gives_a_metric_to_tune_by_and_leaves_the_model_as_it_is(tmp_path: Path, training: tuple[str, ...]) -> None:
    program, *settings = training
    without, folder = channels(tmp_path / "a", None), channels(tmp_path / "b", table(1, 200))
    plain = run_training(without, *settings, program=program)
    done = run_training(folder, *settings, program=program)
    written = json.loads((folder / "out" / "metrics.json").read_text())
    found = re.search(r"metric validation_auc_injected=([0-9.eE+-]+)", done.stdout)

    assert done.returncode == 0, done.stderr
    assert found is not None
    assert float(found[1]) == pytest.approx(written["validation_auc_injected"], abs=1e-6)
    assert 0.9 < written["validation_auc_injected"] <= 1
    assert 0 <= written["validation_alert_rate"] <= 0.05
    assert "validation" not in plain.stdout
    assert files_of(folder / "model") == files_of(without / "model")


@pytest.mark.parametrize("training", TRAININGS)
@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a\n1\n", "column 'b' is missing"),
        ("a,b\n1,2\n1,2\n", "must change over the rows"),
        ("a,b\n", "the validation files must hold at least one row"),
    ],
)
def test_fails_with_the_reason_and_without_artifact_when_it_is_useless(
    tmp_path: Path, training: tuple[str, ...], text: str, fault: str
) -> None:
    program, *settings = training
    folder = channels(tmp_path, text)
    done = run_training(folder, *settings, program=program)

    assert done.returncode == 1
    assert fault in done.stderr
    assert not (folder / "model").exists()
