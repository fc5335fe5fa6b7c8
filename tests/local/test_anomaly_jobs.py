"""Our own training and evaluation code as jobs of the laptop cloud, through an interruption too."""

from __future__ import annotations

import csv
import io
import json
import random
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Until
from tests.local.job_support import channel, finished, get, given, processing, put, training, wanted

pytestmark = pytest.mark.laptop_cloud
SOURCE = Path(__file__).parents[2] / "model_src" / "anomaly"
FAULT = {"ML_LENS_FAULT_SPOT_INTERRUPTIONS": "1", "ML_LENS_FAULT_SPOT_AT": "checkpoint 2 of"}
SPOT = {
    "EnableManagedSpotTraining": True,
    "StoppingCondition": {"MaxRuntimeInSeconds": 300, "MaxWaitTimeInSeconds": 600},
    "CheckpointConfig": {"S3Uri": "s3://jobs/anomaly/checkpoints"},
    "Environment": FAULT,
}
Train = Callable[..., dict[str, Any]]


@pytest.fixture
def train(laptop_cloud: LaptopCloud, until: Until) -> Train:
    """Return a function that trains the isolation forest and returns the job."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as bundle:
        for path in sorted(SOURCE.glob("*.py")):
            bundle.add(path, path.name)
    code = put(laptop_cloud, "anomaly/code/sourcedir.tar.gz", buffer.getvalue())
    put(laptop_cloud, "anomaly/data/train/part-0.csv", readings(400, seed=1))

    def run(name: str, **more: Any) -> dict[str, Any]:
        own = {"features": "a,b", "quantile": "0.99", "trees": "30", "folds": "4"}
        request = training(name, code, hyperparameters=own, **more)
        given = [channel("train", "s3://jobs/anomaly/data/train/")]
        laptop_cloud.client("sagemaker").create_training_job(**request, InputDataConfig=given)
        job = finished(laptop_cloud, until, name)
        assert job["TrainingJobStatus"] == "Completed", job
        return job

    return run


def readings(rows: int, *, seed: int) -> str:
    dice, text = random.Random(seed), io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["timestamp", "a", "b"])
    for number in range(rows):
        writer.writerow([1_700_000_000 + number, dice.gauss(0, 1), dice.gauss(5, 2)])
    return text.getvalue()


def test_an_interrupted_training_gives_the_same_bytes(laptop_cloud: LaptopCloud, train: Train) -> None:
    whole, broken = train("anomaly-whole"), train("anomaly-broken", **SPOT)
    steps = [item["Status"] for item in broken["SecondaryStatusTransitions"]]
    assert (steps.count("Interrupted"), steps.count("Training")) == (1, 2)
    artifacts = [get(laptop_cloud, job["ModelArtifacts"]["S3ModelArtifacts"]) for job in (whole, broken)]
    assert artifacts[0] == artifacts[1]


def test_a_candidate_is_evaluated_beside_the_champion(laptop_cloud: LaptopCloud, train: Train, until: Until) -> None:
    model = train("anomaly-candidate")["ModelArtifacts"]["S3ModelArtifacts"]
    put(laptop_cloud, "anomaly/data/test/part-0.csv", readings(200, seed=2))
    text = "cd /opt/ml/processing/input/code && tar -xzf sourcedir.tar.gz && exec python3 evaluate.py --root /opt/ml"
    champion = "arn:aws:sagemaker:us-east-1:000000000000:model-package/any/1"
    request = processing(
        "anomaly-evaluated", ["bash", "-c", text],
        Environment={"DATASET_VERSION": "d1", "CHAMPION_MODEL_PACKAGE_ARN": champion},
        ProcessingOutputConfig=wanted("s3://jobs/anomaly/evaluation"),
    )  # fmt: skip
    inputs = {
        "code": "s3://jobs/anomaly/code/sourcedir.tar.gz", "test": "s3://jobs/anomaly/data/test/",
        "model": model, "champion": model,
    }  # fmt: skip
    request["ProcessingInputs"] = [given(name, url) for name, url in inputs.items()]
    laptop_cloud.client("sagemaker").create_processing_job(**request)
    job = finished(laptop_cloud, until, "anomaly-evaluated", kind="processing")
    assert job["ProcessingJobStatus"] == "Completed", job
    found = json.loads(get(laptop_cloud, "s3://jobs/anomaly/evaluation/evaluation.json"))
    assert (found["rows"], found["dataset_version"]) == (200, "d1")
    assert found["champion"]["model_package_arn"] == champion
    for name in ("alert_rate", "recall_injected", "auc_injected"):  # the same model is as good as itself
        assert found["candidate"]["metrics"][name] == found["champion"]["metrics"][name]
    assert found["candidate"]["metrics"]["auc_injected"] > 0.8
