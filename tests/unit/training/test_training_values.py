"""Values of training: what AWS would refuse is refused at synth, by its name; code is packed the same twice."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from cdk_ml_lens import (
    Algorithm,
    AlgorithmDefinition,
    ChampionMargin,
    ContainerImage,
    DatasetSource,
    Evaluation,
    EvaluationResources,
    ManagedSpot,
    MetricBound,
    ModelGate,
    PropError,
    Registration,
    Serving,
    SourceCode,
    TrainingImage,
    TrainingResources,
)

BOUND = MetricBound(metric="recall", bound=0.8, direction="at_least")
IMAGE = TrainingImage.sklearn()
EVALUATION = Evaluation.anomalies(IMAGE)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ManagedSpot(max_wait_minutes=0), "max_wait_minutes must be between 1 and 40320"),
        (lambda: TrainingResources(instance_type="m5.large"), "instance_type must begin with ml."),
        (lambda: TrainingResources(volume_gb=0), "volume_gb must be between 1 and 16384"),
        (lambda: TrainingResources(input_mode="Stream"), "input_mode must be one of ['File', 'FastFile', 'Pipe']"),  # type: ignore[arg-type]
        (
            lambda: TrainingResources(max_minutes=60, spot=ManagedSpot(max_wait_minutes=59)),
            "spot must wait at least max_minutes (60)",
        ),
        (lambda: EvaluationResources(max_minutes=12_961), "max_minutes must be between 1 and 12960"),
        (lambda: ModelGate(bounds=[]), "bounds must have at least one entry"),
        (lambda: ModelGate(bounds=[BOUND], minimum_rows=0), "minimum_rows must be at least 1"),
        (lambda: MetricBound(metric="", bound=1, direction="at_most"), "metric must not be empty"),
        (lambda: MetricBound(metric="m", bound=float("nan"), direction="at_most"), "bound must be a finite number"),
        (
            lambda: ChampionMargin(metric="m", margin=float("inf"), direction="at_most"),
            "margin must be a finite number",
        ),
        (lambda: ChampionMargin(metric="m", margin=1, direction="up"), "direction must be one of"),  # type: ignore[arg-type]
        (lambda: Registration(variant_name="-"), "variant_name must be 1 to 63"),
        (lambda: Registration(instance_count=0), "instance_count must be at least 1"),
        (lambda: ContainerImage(repository="r", tag="latest"), "tag must name one version"),
        (lambda: Algorithm.isolation_forest(trees=0), "trees must be between 1 and 10000"),
        (lambda: Algorithm.isolation_forest(quantile=1), "quantile must lie between 0 and 1"),
        (lambda: Algorithm.one_class_svm(nu=0), "nu must lie between 0 and 1"),
        (lambda: Algorithm.autoencoder(epochs=0), "epochs must be between 1 and 10000"),
        (
            lambda: Algorithm.random_cut_forest(evaluation=EVALUATION, trees=49),
            "trees must be between 50 and 1000 for random cut forest, got 49",
        ),
    ],
)
def test_fails_on_a_value_that_aws_would_refuse(make: Callable[[], object], message: str) -> None:
    with pytest.raises(PropError, match=re.escape(message)):
        make()


@pytest.mark.parametrize("name", ["features", "sagemaker_program"])
def test_fails_on_hyperparameters_that_the_pipeline_sets(name: str) -> None:
    with pytest.raises(PropError, match=re.escape("hyperparameters must leave features and sagemaker_… to")):
        AlgorithmDefinition(
            name="own", image=IMAGE, serving=Serving(image=IMAGE), evaluation=EVALUATION, hyperparameters={name: "x"}
        )


@pytest.mark.parametrize("prefix", ["/datasets", "datasets/", "", "a b"])
def test_fails_on_a_prefix_that_is_no_path(stack: cdk.Stack, prefix: str) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Lake", "lake")
    with pytest.raises(PropError, match="prefix must be path levels"):
        DatasetSource(bucket=bucket, prefix=prefix)


@pytest.mark.parametrize(
    ("program", "message"), [("train.py", "folder must hold train.py"), ("a/train.py", "program must be a Python file")]
)
def test_fails_on_code_that_is_not_there(tmp_path: Path, program: str, message: str) -> None:
    with pytest.raises(PropError, match=message):
        SourceCode(folder=tmp_path, program=program)


def test_a_source_of_datasets_says_where_they_are(stack: cdk.Stack) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Lake", "lake")
    assert DatasetSource(bucket=bucket, prefix="sets/daily").url == "s3://lake/sets/daily/"


def test_a_reader_that_is_no_construct_may_read_a_dataset(stack: cdk.Stack) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Lake", "lake")
    other = iam.AccountPrincipal("111122223333")
    assert not DatasetSource(bucket=bucket).grant_read(other).success  # its own account has to allow it


def test_presets_write_their_numbers_as_hyperparameters() -> None:
    made = Algorithm.one_class_svm(nu=0.1, max_samples=100, quantile=0.9, seed=7)
    assert made.name == "one-class-svm"
    wanted = {"nu": "0.1", "max-samples": "100", "quantile": "0.9", "seed": "7"}
    assert wanted.items() <= made.hyperparameters.items()
    with pytest.raises(PropError, match="nu must lie between 0 and 1, both excluded for one-class SVM, got 1"):
        Algorithm.one_class_svm(nu=1)


def test_a_gate_is_json_that_says_everything() -> None:
    gate = ModelGate(bounds=[BOUND], margins=[ChampionMargin(metric="recall", margin=0.1, direction="at_least")])
    assert json.loads(gate.render()) == {
        "bounds": [{"metric": "recall", "bound": 0.8, "direction": "at_least"}],
        "margins": [{"metric": "recall", "margin": 0.1, "direction": "at_least"}],
        "minimum_rows": 100,
    }


def code(folder: Path) -> SourceCode:
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "__pycache__" / "train.pyc").write_bytes(b"compiled")
    (folder / ".hidden").write_text("not ours")
    (folder / "deep").mkdir()
    (folder / "deep" / "part.py").write_text("PART = 1\n")
    (folder / "train.py").write_text("print('trained')\n")
    return SourceCode(folder=folder, program="train.py")


def test_an_archive_has_the_same_bytes_twice_and_only_the_sources(tmp_path: Path, app: cdk.App) -> None:
    first = code(tmp_path / "one").archive(cdk.Stack(app, "One"), "Code")
    second = code(tmp_path / "two").archive(cdk.Stack(app, "Two"), "Code")
    assert (first.sha256, first.asset.asset_hash) == (second.sha256, second.asset.asset_hash)
    staged = Path(app.outdir) / first.asset.asset_path
    with tarfile.open(fileobj=io.BytesIO(staged.read_bytes()), mode="r:gz") as archive:
        assert archive.getnames() == ["deep/part.py", "train.py"]


def test_a_runnable_starts_its_program(tmp_path: Path, app: cdk.App) -> None:
    made = code(tmp_path / "one").runnable(cdk.Stack(app, "One"), "Code")
    staged = Path(app.outdir) / made.asset.asset_path
    archive = tmp_path / "code.zip"
    with zipfile.ZipFile(archive, "w") as target:
        for path in sorted(path for path in staged.rglob("*") if path.is_file()):
            target.write(path, path.relative_to(staged))
    names = zipfile.ZipFile(archive).namelist()
    assert names == ["__main__.py", "deep/part.py", "train.py"]
    shown = subprocess.run([sys.executable, str(archive)], capture_output=True, text=True, check=True)
    assert shown.stdout == "trained\n"
