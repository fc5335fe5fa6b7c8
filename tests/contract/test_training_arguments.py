"""The presets of `Algorithm` and the scripts of model_src agree: arguments, metrics in the log, files of the code."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from cdk_ml_lens.training.algorithm import Algorithm
from tests.model.training_jobs import run_training

PRESETS = {
    "isolation_forest": Algorithm.isolation_forest(trees=10),
    "one_class_svm": Algorithm.one_class_svm(),
    "autoencoder": Algorithm.autoencoder(epochs=2),
}
NEEDS_TORCH = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="PyTorch is not in the locked environment"
)


def with_marks(name: str) -> object:
    return pytest.param(name, marks=NEEDS_TORCH) if name == "autoencoder" else name


def trained(folder: Path, preset: Algorithm, **added: str) -> subprocess.CompletedProcess[str]:
    """Run the preset's script as the container does: user hyperparameters as arguments, sorted by name."""
    values = np.random.default_rng(0).normal(size=(400, 3))
    lines = [f"2026-01-01T00:00:00Z,{a:.5f},{b:.5f},{c:.5f}" for a, b, c in values]
    for split in ("in", "validation"):
        (folder / split).mkdir()
        (folder / split / "part-0.csv").write_text("timestamp,a,b,c\n" + "\n".join(lines) + "\n")
    given = {**preset.hyperparameters, **added}
    arguments = [word for name in sorted(given) for word in (f"--{name}", str(_decoded(given[name])))]
    assert preset.source is not None
    return run_training(folder, *arguments, program=f"{preset.source.folder.name}/{preset.source.program}")


def _decoded(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


@pytest.mark.parametrize("name", [with_marks(name) for name in PRESETS])
def test_the_script_takes_the_hyperparameters_of_the_preset_and_prints_its_metrics(tmp_path: Path, name: str) -> None:
    preset = PRESETS[name]
    done = trained(tmp_path, preset, features="a,c")
    assert done.returncode == 0, done.stderr
    metadata = json.loads((tmp_path / "model" / "metadata.json").read_text())
    written = json.loads((tmp_path / "out" / "metrics.json").read_text())

    assert metadata["features"] == ["a", "c"]
    assert metadata["algorithm"] == preset.name
    for argument, value in preset.hyperparameters.items():
        assert metadata[argument.replace("-", "_")] == _decoded(value), argument
    assert preset.metrics
    for metric, pattern in preset.metrics.items():
        found = re.search(pattern, done.stdout)
        assert found is not None, metric
        if metric in written:  # the rest is told epoch by epoch
            assert float(found[1]) == pytest.approx(written[metric], abs=1e-6)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_preset_resumes_from_checkpoints_and_is_judged_by_our_evaluation(name: str) -> None:
    preset = PRESETS[name]

    assert preset.checkpoints
    assert (preset.evaluation.source.folder.name, preset.evaluation.source.program) == ("anomaly", "evaluate.py")
