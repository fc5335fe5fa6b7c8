"""Our own training and evaluation as jobs of the laptop cloud: a spot interruption does not change the model."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Until
from tests.local.job_support import archive, channel, finished, get, given, members, processing, put, training, wanted

pytestmark = pytest.mark.laptop_cloud
ANOMALY = Path(__file__).parents[2] / "model_src" / "anomaly"
ARN = "arn:aws:sagemaker:us-east-1:000000000000:model-package/pumps/1"


def sources() -> dict[str, str]:
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(ANOMALY.glob("*.py"))}


def table(seed: int, rows: int) -> str:
    values = np.random.default_rng(seed).normal([20, 3], [2, 0.5], size=(rows, 2))
    return "timestamp,temperature,vibration\n" + "".join(f"t,{a:.4f},{b:.4f}\n" for a, b in values)


@pytest.fixture(scope="module")
def placed(laptop_cloud: LaptopCloud) -> dict[str, str]:
    """Return the places of the code, as pipelines send it, and of the splits."""
    runnable = io.BytesIO()
    with zipfile.ZipFile(runnable, "w") as code:
        for name, text in sources().items():
            code.writestr(f"{name}.py", text)
        code.writestr(
            "__main__.py", "import runpy\nrunpy.run_module('evaluate', run_name='__main__', alter_sys=True)\n"
        )
    put(laptop_cloud, "data/train/part-0.csv", table(1, 3000))
    put(laptop_cloud, "data/test/part-0.csv", table(2, 600))
    return {
        "code": put(laptop_cloud, "code/anomaly/sourcedir.tar.gz", archive(**sources())),
        "runnable": put(laptop_cloud, "code/runnable/evaluate.zip", runnable.getvalue()),
        "train": "s3://jobs/data/train/",
        "test": "s3://jobs/data/test/",
    }


def trained(
    cloud: LaptopCloud,
    until: Until,
    placed: dict[str, str],
    name: str,
    *,
    algorithm: str = "isolation-forest",
    **more: Any,
) -> dict[str, Any]:
    settings = {"algorithm": algorithm, "quantile": "0.995", "seed": "0"}
    request = training(name, placed["code"], hyperparameters=settings, **more)
    cloud.client("sagemaker").create_training_job(**request, InputDataConfig=[channel("train", placed["train"])])
    job = finished(cloud, until, name)
    assert job["TrainingJobStatus"] == "Completed", job
    return job


def spot(name: str) -> dict[str, Any]:
    faults = {"ML_LENS_FAULT_SPOT_INTERRUPTIONS": "1", "ML_LENS_FAULT_SPOT_AT": "checkpoint 2 of 5"}
    return {
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": 120, "MaxWaitTimeInSeconds": 240},
        "CheckpointConfig": {"S3Uri": f"s3://jobs/checkpoints/{name}"},
        "Environment": faults,
    }


def test_an_interrupted_training_goes_on_and_gives_the_very_model_of_an_undisturbed_one(
    laptop_cloud: LaptopCloud, until: Until, placed: dict[str, str]
) -> None:
    undisturbed = trained(laptop_cloud, until, placed, "calm")
    interrupted = trained(laptop_cloud, until, placed, "taken", **spot("taken"))

    steps = [item["Status"] for item in interrupted["SecondaryStatusTransitions"]]
    kept = laptop_cloud.client("s3").list_objects_v2(Bucket="jobs", Prefix="checkpoints/taken/")["Contents"]
    models = [members(laptop_cloud, job["ModelArtifacts"]["S3ModelArtifacts"]) for job in (undisturbed, interrupted)]
    assert (steps.count("Interrupted"), steps.count("Training")) == (1, 2)
    assert sorted(item["Key"].rsplit("/", 1)[1] for item in kept) == [f"fold-{fold}" for fold in range(5)]
    assert models[0] == models[1]


def test_candidate_and_champion_are_judged_side_by_side_by_one_processing_job(
    laptop_cloud: LaptopCloud, until: Until, placed: dict[str, str]
) -> None:
    jobs = [
        trained(laptop_cloud, until, placed, f"judged-{algorithm}", algorithm=algorithm)
        for algorithm in ("one-class-svm", "isolation-forest")
    ]
    candidate, champion = (job["ModelArtifacts"]["S3ModelArtifacts"] for job in jobs)
    places = {"code": placed["runnable"], "test": placed["test"], "model": candidate, "champion": champion}
    request = processing(
        "side-by-side",
        ["python3", "/opt/ml/processing/input/code/evaluate.zip"],
        ProcessingInputs=[given(name, url) for name, url in places.items()],
        ProcessingOutputConfig=wanted("s3://jobs/evaluations/one"),
        Environment={"DATASET_VERSION": "v1", "CHAMPION_MODEL_PACKAGE_ARN": ARN},
    )
    laptop_cloud.client("sagemaker").create_processing_job(**request)
    job = finished(laptop_cloud, until, "side-by-side", kind="processing")
    assert job["ProcessingJobStatus"] == "Completed", job
    report = json.loads(get(laptop_cloud, "s3://jobs/evaluations/one/evaluation.json"))

    assert (report["dataset_version"], report["rows"]) == ("v1", 600)
    assert report["champion"]["model_package_arn"] == ARN
    assert report["candidate"]["model_version"] != report["champion"]["model_version"]
    assert sorted(report["candidate"]["metrics"]) == sorted(report["champion"]["metrics"])
    assert 0.9 < report["candidate"]["metrics"]["auc_injected"] < 1


def test_a_judgement_without_its_champion_fails_with_the_reason_as_exit_message(
    laptop_cloud: LaptopCloud, until: Until, placed: dict[str, str]
) -> None:
    model = trained(laptop_cloud, until, placed, "alone")["ModelArtifacts"]["S3ModelArtifacts"]
    places = {"code": placed["runnable"], "test": placed["test"], "model": model}
    request = processing(
        "no-champion",
        ["python3", "/opt/ml/processing/input/code/evaluate.zip"],
        ProcessingInputs=[given(name, url) for name, url in places.items()],
        ProcessingOutputConfig=wanted("s3://jobs/evaluations/none"),
        Environment={"DATASET_VERSION": "v1", "CHAMPION_MODEL_PACKAGE_ARN": ARN},
    )
    laptop_cloud.client("sagemaker").create_processing_job(**request)
    job = finished(laptop_cloud, until, "no-champion", kind="processing")

    assert job["ProcessingJobStatus"] == "Failed"
    assert job["ExitMessage"].startswith("error: a champion must have both an artifact and the ARN")
