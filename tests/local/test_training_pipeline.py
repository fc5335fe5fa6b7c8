"""TrainingPipeline with IAM enforced: a real forest is trained, judged, registered; what is worse or broken is not."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from cdk_ml_lens import (
    Algorithm,
    ApprovalPolicy,
    ChampionMargin,
    DatasetSource,
    MetricBound,
    ModelGate,
    ModelRegistry,
    TrainingPipeline,
)
from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Until

pytestmark = pytest.mark.laptop_cloud
SPLITS = {"train": 600, "validation": 200, "test": 300}
FEATURES = ["temperature", "vibration"]


def training_stack() -> cdk.Stack:
    stack = cdk.Stack(cdk.App(), "Trained")
    key = kms.Key(stack, "Key")
    lake = s3.Bucket(stack, "Lake", encryption_key=key)
    registry = ModelRegistry(stack, "Registry", approval=ApprovalPolicy.automatic())
    pipeline = TrainingPipeline(
        stack,
        "Pipeline",
        algorithm=Algorithm.isolation_forest(trees=50),
        datasets=DatasetSource(bucket=lake),
        registry=registry,
        gate=ModelGate(
            bounds=[
                MetricBound(metric="alert_rate", bound=0.1, direction="at_most"),
                MetricBound(metric="auc_injected", bound=0.7, direction="at_least"),
            ],
            margins=[ChampionMargin(metric="auc_injected", margin=0.05, direction="at_least")],
        ),
    )
    queue = sqs.Queue(stack, "FailureQueue")
    pipeline.on_failed("Failed", targets.SqsQueue(queue))
    outputs = {
        "Machine": pipeline.machine.arn,
        "Datasets": lake.bucket_name,
        "Artifacts": registry.bucket.bucket_name,
        "Group": registry.group_name,
        "Failures": queue.queue_url,
    }
    for name, value in outputs.items():
        cdk.CfnOutput(stack, name, value=value)
    return stack


@pytest.fixture(scope="module")
def outputs(guarded: LaptopCloud) -> Iterator[dict[str, str]]:
    stack = training_stack()
    app = cdk.Stage.of(stack)
    assert app is not None
    yield dict(guarded.deploy(Path(app.synth().directory), stack.stack_name).outputs)
    guarded.destroy(stack.stack_name)


def dataset(
    cloud: LaptopCloud, bucket: str, version: str, *, noise: float = 1.0, odd: float = 1.0, spoiled: bool = False
) -> str:
    """Write a dataset of two sensors and return the URI of its manifest.

    An odd one has other values in the training split than in the test split, a spoiled one text for a number.
    """
    chance, client = random.Random(7), cloud.client("s3")
    prefix = f"datasets/{version}"
    for split, count in SPLITS.items():
        file = io.StringIO()
        writer = csv.writer(file)
        writer.writerow(["timestamp", *FEATURES])
        for number in range(count):
            wide = odd if split == "train" else 1.0
            values = [20 + chance.gauss(0, noise * wide), 1 + chance.gauss(0, 0.1 * wide)]
            writer.writerow([f"2026-11-01T00:{number // 60:02d}:{number % 60:02d}Z", *values])
        if spoiled:
            writer.writerow(["2026-11-01T00:59:59Z", "broken", 1])
        client.put_object(Bucket=bucket, Key=f"{prefix}/{split}/part-0.csv", Body=file.getvalue())
    manifest = {
        "version": version,
        "sha256": "0" * 64,
        "features": FEATURES,
        "rows": SPLITS,
        "splits": {split: f"s3://{bucket}/{prefix}/{split}/" for split in SPLITS},
    }
    client.put_object(Bucket=bucket, Key=f"{prefix}/dataset.json", Body=json.dumps(manifest))
    return f"s3://{bucket}/{prefix}/dataset.json"


def ran(cloud: LaptopCloud, until: Until, machine: str, name: str, dataset: Any) -> dict[str, Any]:
    """Run the machine once and return the execution when it has ended."""
    states = cloud.client("stepfunctions")
    request = json.dumps({"dataset": dataset, "cause": "test"})
    arn = states.start_execution(stateMachineArn=machine, name=name, input=request)["executionArn"]

    def ended() -> dict[str, Any] | None:
        described: dict[str, Any] = states.describe_execution(executionArn=arn)
        return described if described["status"] != "RUNNING" else None

    found: dict[str, Any] = until(ended, seconds=180)
    return found


def document(cloud: LaptopCloud, bucket: str, key: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    return found


def failures(cloud: LaptopCloud, until: Until, url: str) -> dict[str, Any]:
    """Return the detail of the one failure that was told."""
    queue = cloud.client("sqs")
    (message,) = until(lambda: queue.receive_message(QueueUrl=url).get("Messages"))
    queue.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    told = json.loads(message["Body"])
    assert (told["source"], told["detail-type"]) == ("cdk-ml-lens.training", "Training Failed")
    detail: dict[str, Any] = told["detail"]
    return detail


def test_a_dataset_becomes_a_registered_version_and_the_next_one_is_judged_beside_it(
    guarded: LaptopCloud, outputs: dict[str, str], until: Until
) -> None:
    artifacts = outputs["Artifacts"]
    first = ran(guarded, until, outputs["Machine"], "first", dataset(guarded, outputs["Datasets"], "v1"))
    assert first["status"] == "SUCCEEDED", (first.get("error"), first.get("cause"))
    result = json.loads(first["output"])
    assert (result["dataset_version"], result["approval_status"], result["cause"]) == ("v1", "Approved", "test")
    manifest = document(guarded, artifacts, result["manifest"].partition(f"{artifacts}/")[2])
    assert manifest["model_version"] == result["model_version"]
    assert manifest["model_package_arn"] == result["model_package_arn"]
    assert manifest["hyperparameters"]["features"] == "temperature,vibration"
    assert manifest["gate"]["passed"] is True
    assert manifest["metrics"]["auc_injected"] > 0.7
    second = ran(guarded, until, outputs["Machine"], "second", dataset(guarded, outputs["Datasets"], "v2", noise=1.1))
    assert second["status"] == "SUCCEEDED", (second.get("error"), second.get("cause"))
    evaluation = document(guarded, artifacts, "evaluations/second/evaluation.json")
    assert evaluation["champion"]["model_package_arn"] == result["model_package_arn"]
    assert document(guarded, artifacts, "evaluations/second/decision.json")["champion"] == result["model_package_arn"]


def test_a_candidate_worse_than_its_bounds_and_the_champion_is_refused_with_its_numbers(
    guarded: LaptopCloud, outputs: dict[str, str], until: Until
) -> None:
    before = versions(guarded, outputs["Group"])
    uri = dataset(guarded, outputs["Datasets"], "odd", odd=30)
    ended = ran(guarded, until, outputs["Machine"], "odd", uri)
    assert (ended["status"], ended["error"]) == ("FAILED", "CandidateRefused")
    assert "auc_injected must be at_least 0.7, got 0." in ended["cause"]
    assert "auc_injected must be at_least champion - 0.05, got 0." in ended["cause"]
    told = failures(guarded, until, outputs["Failures"])
    assert (told["step"], told["error"], told["cause"]) == ("Judge", "CandidateRefused", ended["cause"])
    decision = document(guarded, outputs["Artifacts"], "evaluations/odd/decision.json")
    assert (decision["passed"], decision["dataset_version"]) == (False, "odd")
    assert versions(guarded, outputs["Group"]) == before


@pytest.mark.parametrize(
    ("name", "step", "error", "reason"),
    [
        ("no-uri", "ReadDataset", "ReadDatasetFailed", "must be the S3 URI"),
        ("absent", "ReadDataset", "ReadDatasetFailed", "NoSuchKey"),
        ("foreign", "ReadDataset", "ReadDatasetFailed", "AccessDenied"),
        ("no-manifest", "ReadDataset", "ReadDatasetFailed", "must have version, sha256, features"),
        ("spoiled", "Train", "TrainFailed", "must be a finite number"),
    ],
)
def test_a_failure_is_told_with_its_step_and_cause_and_registers_nothing(
    guarded: LaptopCloud, outputs: dict[str, str], until: Until, name: str, step: str, error: str, reason: str
) -> None:
    bucket = outputs["Datasets"]
    guarded.client("s3").put_object(Bucket=bucket, Key="datasets/no-manifest.json", Body='{"version": 1, "splits": {}}')
    uris = {
        "no-uri": "somewhere",
        "absent": f"s3://{bucket}/datasets/absent/dataset.json",
        "foreign": f"s3://{outputs['Artifacts']}/manifests/dataset.json",
        "no-manifest": f"s3://{bucket}/datasets/no-manifest.json",
    }
    uri = uris[name] if name in uris else dataset(guarded, bucket, name, spoiled=True)
    before = versions(guarded, outputs["Group"])
    ended = ran(guarded, until, outputs["Machine"], name, uri)
    assert (ended["status"], ended["error"]) == ("FAILED", error)
    assert reason in ended["cause"]
    told = failures(guarded, until, outputs["Failures"])
    assert (told["step"], told["error"], told["dataset"]) == (step, error, uri)
    assert told["execution"] == ended["executionArn"]
    assert versions(guarded, outputs["Group"]) == before


def test_a_training_job_that_somebody_stops_is_a_failure_that_says_so(
    guarded: LaptopCloud, outputs: dict[str, str], until: Until
) -> None:
    states, sagemaker = guarded.client("stepfunctions"), guarded.client("sagemaker")
    before = versions(guarded, outputs["Group"])
    request = json.dumps({"dataset": dataset(guarded, outputs["Datasets"], "stopped"), "cause": "test"})
    arn = states.start_execution(stateMachineArn=outputs["Machine"], name="stopped", input=request)["executionArn"]

    def running() -> str | None:
        jobs = sagemaker.list_training_jobs(StatusEquals="InProgress")["TrainingJobSummaries"]
        return next((job["TrainingJobName"] for job in jobs if job["TrainingJobName"].endswith("-stopped")), None)

    sagemaker.stop_training_job(TrainingJobName=until(running, seconds=30))

    def ended() -> dict[str, Any] | None:
        described: dict[str, Any] = states.describe_execution(executionArn=arn)
        return described if described["status"] != "RUNNING" else None

    found: dict[str, Any] = until(ended, seconds=60)
    assert (found["status"], found["error"]) == ("FAILED", "TrainFailed")
    assert failures(guarded, until, outputs["Failures"])["step"] == "Train"
    assert versions(guarded, outputs["Group"]) == before


def versions(cloud: LaptopCloud, group: str) -> int:
    found = cloud.client("sagemaker").list_model_packages(ModelPackageGroupName=group)
    return len(found["ModelPackageSummaryList"])
