"""The evaluation script: candidate and champion on the same rows, and what it refuses to judge."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cdk_ml_lens.local.model_build import build_artifact
from cdk_ml_lens.local.readings import write_csv
from cdk_ml_lens.local.simulator import FEATURES, training_set
from model_src.anomaly import artifact as opened
from model_src.anomaly import judging

EVALUATE = Path(__file__).parents[2] / "model_src" / "anomaly" / "evaluate.py"
ARN = "arn:aws:sagemaker:eu-central-1:111122223333:model-package/pumps/1"


def job(root: Path, *arguments: str, version: str = "v7", arn: str = "") -> subprocess.CompletedProcess[str]:
    """Run the script as a job does: in its own process."""
    env = {**os.environ, "DATASET_VERSION": version, "CHAMPION_MODEL_PACKAGE_ARN": arn}
    command = [sys.executable, str(EVALUATE), "--root", str(root), *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


Run = Callable[..., str]


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the script in this process, expects a refusal, and returns what it says."""
    monkeypatch.syspath_prepend(EVALUATE.parent)
    script = importlib.import_module("evaluate")

    def run(root: Path, *, version: str = "v7", arn: str = "") -> str:
        arguments = ["--root", str(root), "--dataset-version", version, "--champion-arn", arn]
        assert script.main(arguments) == 1
        return capsys.readouterr().err

    return run


@pytest.fixture(scope="module")
def weak(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a worse model: two trees of the readings of one day."""
    folder = tmp_path_factory.mktemp("weak")
    csv = write_csv(folder / "few.csv", training_set(seed=5, rows=96), features=FEATURES)
    return build_artifact(
        csv, folder / "model.tar.gz", quantile=0.5, seed=0, features=FEATURES[::-1], python=Path(sys.executable)
    )


@pytest.fixture
def root(tmp_path: Path, artifact: Path) -> Path:
    """Return a folder laid out as /opt/ml of a processing job, with the candidate and the test split."""
    inputs = tmp_path / "ml" / "processing" / "input"
    (inputs / "model").mkdir(parents=True)
    shutil.copy(artifact, inputs / "model" / "model.tar.gz")
    write_csv(inputs / "test" / "part-0.csv", training_set(seed=901, rows=1500), features=FEATURES)
    return tmp_path / "ml"


def crown(root: Path, champion: Path) -> None:
    (root / "processing" / "input" / "champion").mkdir()
    shutil.copy(champion, root / "processing" / "input" / "champion" / "model.tar.gz")


def report_of(root: Path) -> dict[str, object]:
    return dict(json.loads((root / "processing" / "output" / "evaluation.json").read_text()))


def test_a_first_candidate_is_judged_alone(root: Path, model_dir: Path) -> None:
    done = job(root)
    report = report_of(root)
    candidate = report["candidate"]

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == report
    assert (report["champion"], report["rows"], report["dataset_version"]) == (None, 1500, "v7")
    assert isinstance(candidate, dict)
    assert candidate["model_version"] == json.loads((model_dir / "metadata.json").read_text())["model_version"]
    metrics = candidate["metrics"]
    assert sorted(metrics) == ["alert_rate", "auc_injected", "recall_injected", "score_seconds_per_1000"]
    assert metrics["alert_rate"] < 0.01
    assert metrics["recall_injected"] > 0.8
    assert metrics["auc_injected"] > 0.97
    assert 0 < metrics["score_seconds_per_1000"] < 60


def test_the_champion_is_judged_on_the_same_rows_though_it_takes_its_columns_in_another_order(
    root: Path, weak: Path
) -> None:
    crown(root, weak)
    done = job(root, arn=ARN)
    assert done.returncode == 0, done.stderr
    report = report_of(root)
    candidate, champion = report["candidate"], report["champion"]

    assert isinstance(candidate, dict)
    assert isinstance(champion, dict)
    assert champion["model_package_arn"] == ARN
    assert champion["model_version"] != candidate["model_version"]
    assert champion["metrics"]["alert_rate"] > 0.3 > candidate["metrics"]["alert_rate"]
    assert champion["metrics"]["auc_injected"] < candidate["metrics"]["auc_injected"]


def test_a_model_beside_itself_gets_the_same_numbers(root: Path, artifact: Path) -> None:
    crown(root, artifact)
    assert job(root, arn=ARN).returncode == 0
    report = report_of(root)

    numbers = []
    for model in (report["candidate"], report["champion"]):
        assert isinstance(model, dict)
        numbers.append({k: v for k, v in model["metrics"].items() if k != "score_seconds_per_1000"})
    assert numbers[0] == numbers[1]


def test_two_runs_differ_in_nothing_but_the_time_taken(root: Path) -> None:
    reports = []
    for _ in range(2):
        assert job(root).returncode == 0
        report = json.loads((root / "processing" / "output" / "evaluation.json").read_text())
        del report["candidate"]["metrics"]["score_seconds_per_1000"]
        reports.append(report)

    assert reports[0] == reports[1]


def test_the_script_runs_from_a_zip_of_its_folder_as_the_pipeline_sends_it(root: Path, tmp_path: Path) -> None:
    code = tmp_path / "code.zip"
    with zipfile.ZipFile(code, "w") as archive:
        for path in EVALUATE.parent.glob("*.py"):
            archive.write(path, path.name)
        archive.writestr(
            "__main__.py", "import runpy\nrunpy.run_module('evaluate', run_name='__main__', alter_sys=True)"
        )
    env = {**os.environ, "DATASET_VERSION": "v7", "SAGEMAKER_BASE_DIR": str(root)}
    done = subprocess.run([sys.executable, str(code)], env=env, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert report_of(root)["rows"] == 1500


def test_serving_code_finds_the_files_beside_it_and_not_ours_of_the_same_name(root: Path) -> None:
    extra = "import types, judging\nimport numpy as np\ndef model_fn(model_dir): return judging.TELL\n"
    extra += "def predict_fn(values, model): return types.SimpleNamespace(scores=np.full(len(values), model))\n"
    repacked(root, code__inference_py=extra, code__judging_py="TELL = 1e9")
    done = job(root)
    candidate = report_of(root)["candidate"]

    assert done.returncode == 0, done.stderr
    assert isinstance(candidate, dict)
    assert candidate["metrics"]["alert_rate"] == 1.0


def test_fewer_rows_are_taken_evenly_from_the_whole_split(root: Path) -> None:
    assert job(root, "--rows", "100").returncode == 0

    assert report_of(root)["rows"] == 100


@pytest.mark.parametrize(
    ("arn", "version", "champion", "fault"),
    [
        (ARN, "v7", False, "got the ARN arn:aws:sagemaker"),
        ("", "v7", True, "got the artifact only"),
        ("", "", False, "the version of the dataset must be given"),
    ],
)
def test_fails_rather_than_leave_out_a_comparison(
    refused: Run, root: Path, artifact: Path, arn: str, version: str, champion: bool, fault: str
) -> None:
    if champion:
        crown(root, artifact)
    reason = refused(root, arn=arn, version=version)

    assert fault in reason
    assert (root / "output" / "message").read_text() == reason.strip()
    assert not (root / "processing" / "output").exists()


def repacked(root: Path, **files: str | None) -> None:
    """Change files of the candidate; None removes one."""
    path = root / "processing" / "input" / "model" / "model.tar.gz"
    folder = root / "repacked"
    with tarfile.open(path) as archive:
        archive.extractall(folder, filter="data")
    for name, text in files.items():
        target = folder / name.replace("__", "/").replace("_py", ".py").replace("_json", ".json")
        target.unlink() if text is None else target.write_text(text)
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, arcname=".")


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({"code__inference_py": None}, "the candidate must carry code/inference.py"),
        ({"code__inference_py": "import no_such_library"}, "cannot be loaded: code/inference.py: ModuleNotFoundError"),
        ({"metadata_json": "{}"}, "the candidate cannot be loaded: KeyError"),
        ({"code__inference_py": "def model_fn(model_dir): return None"}, "the candidate cannot score: AttributeError"),
    ],
)
def test_fails_with_the_reason_for_an_artifact_that_would_not_serve(
    refused: Run, root: Path, files: dict[str, str | None], fault: str
) -> None:
    repacked(root, **files)

    assert fault in refused(root)


def test_fails_for_a_file_that_is_no_archive_and_for_a_missing_one(refused: Run, root: Path) -> None:
    path = root / "processing" / "input" / "model" / "model.tar.gz"
    path.write_text("no archive")
    assert "the candidate must be a gzip tar archive" in refused(root)

    path.unlink()
    assert "the candidate must be a file model.tar.gz, got none" in refused(root)


def test_fails_for_a_test_split_without_a_column_of_the_model(refused: Run, root: Path) -> None:
    test = root / "processing" / "input" / "test" / "part-0.csv"
    test.write_text(test.read_text().replace("pressure", "depth"))

    assert "column 'pressure' is missing" in refused(root)


def test_fails_for_test_rows_that_never_change(refused: Run, root: Path) -> None:
    header = "timestamp," + ",".join(FEATURES) + "\n"
    (root / "processing" / "input" / "test" / "part-0.csv").write_text(header + "t,70,2,11,1490\n" * 5)

    assert "must change over the rows, got temperature, vibration" in refused(root)


def test_scores_that_are_not_finite_become_null_which_no_gate_may_pass(root: Path) -> None:
    repacked(root, code__inference_py=_NAN_SCORES)
    done = job(root)
    candidate = report_of(root)["candidate"]

    assert done.returncode == 0, done.stderr
    assert isinstance(candidate, dict)
    assert candidate["metrics"]["alert_rate"] is None
    assert candidate["metrics"]["recall_injected"] is None
    assert candidate["metrics"]["auc_injected"] is None


_NAN_SCORES = """
import types
import numpy as np
def model_fn(model_dir): return None
def predict_fn(values, model): return types.SimpleNamespace(scores=np.full(len(values), np.nan))
"""


def test_the_auc_counts_pairs_and_ties_half() -> None:
    clean, injected = np.array([1.0, 2.0, 3.0]), np.array([2.0, 9.0])
    pairs = [(i > c) + 0.5 * (i == c) for i in injected for c in clean]

    assert judging.auc(clean, injected) == pytest.approx(sum(pairs) / len(pairs), abs=1e-12)


def test_the_auc_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(4)
    clean, injected = rng.normal(size=500).round(1), rng.normal(1, size=300).round(1)
    labels = np.r_[np.zeros(500), np.ones(300)]

    assert judging.auc(clean, injected) == pytest.approx(roc_auc_score(labels, np.r_[clean, injected]), abs=1e-12)


def test_an_injection_moves_one_shared_column_of_each_row_by_the_stated_size() -> None:
    values = np.random.default_rng(0).normal(5, [1.0, 10.0, 0.1], size=(400, 3))
    injected = judging.inject(values, ["a", "b", "c"], ["a", "b"], deviations=3, seed=1)
    moved = (injected.values - values) / values.std(axis=0)

    assert (np.count_nonzero(np.abs(moved) > 1e-9, axis=1) == 1).all()
    assert np.abs(moved).max(axis=0) == pytest.approx([3, 3, 0])
    assert injected.features == ("a", "b")
    assert injected.values.tolist() == judging.inject(values, "abc", "ab", deviations=3, seed=1).values.tolist()


def test_an_archive_that_would_write_outside_its_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "evil.txt").write_text("x")
    with tarfile.open(tmp_path / "in" / "model.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "evil.txt", arcname="../../outside.txt")

    with pytest.raises(opened.ArtifactError, match="must be a gzip tar archive"):
        opened.open_artifact(tmp_path / "in", tmp_path / "a" / "b", role="candidate")
    assert not (tmp_path / "outside.txt").exists()
