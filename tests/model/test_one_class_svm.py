"""The one-class SVM of the training script: it is asked for by name, finds failures, and is served like the forest."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cdk_ml_lens.local.readings import write_csv
from cdk_ml_lens.local.simulator import FEATURES, simulate, training_set
from model_src.anomaly import detector, inference, judging
from tests.model.training_jobs import run_training

SETTINGS = detector.Hyperparameters(algorithm=detector.SVM, max_samples=800, folds=3)


@pytest.fixture(scope="module")
def svm_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("svm")
    write_csv(folder / "in" / "part-0.csv", training_set(seed=900, rows=2000), features=FEATURES)
    done = run_training(folder, "--algorithm", "one-class-svm", "--features", ",".join(FEATURES), "--folds", "3")
    assert done.returncode == 0, done.stderr
    return folder / "model"


def test_the_artifact_states_the_algorithm_and_its_settings_only(svm_dir: Path) -> None:
    metadata = json.loads((svm_dir / "metadata.json").read_text())

    assert (metadata["algorithm"], metadata["nu"], metadata["max_samples"]) == ("one-class-svm", 0.5, 4096)
    assert "trees" not in metadata
    assert metadata["threshold"] < 0


@pytest.mark.parametrize("seed", [21, 22, 23])
def test_nine_of_ten_failures_are_found_with_few_false_alarms(svm_dir: Path, seed: int) -> None:
    simulation = simulate(devices=5, readings_per_device=200, failures=10, seed=seed)
    values = np.array([[reading.features[name] for name in FEATURES] for reading in simulation.readings], dtype=float)
    scored = inference.predict_fn(values, inference.model_fn(str(svm_dir)))
    alerts = {
        (r.device_id, r.index) for r, s in zip(simulation.readings, scored.scores, strict=True) if s > scored.threshold
    }
    inside = [
        {(window.device_id, index) for index in range(window.start_index, window.end_index)}
        for window in simulation.windows
    ]

    assert sum(bool(alerts & window) for window in inside) >= 9
    assert len(alerts - set().union(*inside)) <= 14  # 2 % of the 700 readings outside the windows


def test_a_row_far_from_everything_is_an_anomaly_with_the_highest_score_there_is(svm_dir: Path) -> None:
    scored = inference.predict_fn(np.array([[1e300, -1e300, 1e9, 0.0]]), inference.model_fn(str(svm_dir)))

    assert scored.scores.tolist() == [0.0]
    assert scored.scores[0] > scored.threshold


def test_the_score_ranks_plain_data_as_well_as_the_forest_does() -> None:
    values, others = np.random.default_rng(0).normal(size=(2, 2000, 2))
    moved = judging.inject(others, "ab", "ab", deviations=3, seed=0).values
    found = {}
    for algorithm in (detector.SVM, detector.FOREST):
        fitted = detector.fit(values, detector.Hyperparameters(algorithm=algorithm))
        found[algorithm] = judging.auc(detector.scores(fitted, others), detector.scores(fitted, moved))

    assert found[detector.FOREST] > 0.93
    assert found[detector.SVM] > found[detector.FOREST] - 0.02


def test_the_rows_of_a_large_set_are_chosen_by_the_seed() -> None:
    values = np.random.default_rng(0).normal(size=(2000, 3))
    first, again = detector.fit(values, SETTINGS), detector.fit(values, SETTINGS)
    other = detector.fit(values, detector.Hyperparameters(algorithm=detector.SVM, max_samples=800, seed=1))

    assert first[-1].shape_fit_ == (800, 3)
    assert detector.scores(first, values).tolist() == detector.scores(again, values).tolist()
    assert detector.scores(first, values).tolist() != detector.scores(other, values).tolist()


def test_fails_when_outliers_in_the_data_leave_a_threshold_that_nothing_exceeds(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [f"{a:.4f},{b:.4f}" for a, b in rng.normal(size=(300, 2))]
    rows[150:155] = ["9000,-9000"] * 5
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "part-0.csv").write_text("a,b\n" + "\n".join(rows) + "\n")
    done = run_training(tmp_path, "--algorithm", "one-class-svm", "--quantile", "0.999")

    assert done.returncode == 1
    assert "which nothing exceeds" in done.stderr
    assert not (tmp_path / "model").exists()


def test_fails_for_an_algorithm_that_there_is_not(tmp_path: Path) -> None:
    done = run_training(tmp_path, "--algorithm", "oracle")

    assert done.returncode == 2
    assert "invalid choice: 'oracle'" in done.stderr
