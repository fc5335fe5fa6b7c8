"""Pipelines that search, or let SageMaker AI choose, with IAM enforced: the best is registered, or none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from cdk_ml_lens import (
    Algorithm,
    AutoMl,
    DatasetSource,
    Evaluation,
    ManagedSpot,
    MetricBound,
    ModelGate,
    ModelRegistry,
    ParameterRange,
    TrainingImage,
    TrainingOptions,
    TrainingPipeline,
    TrainingResources,
    Tuning,
)
from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Until
from tests.local.test_training_pipeline import dataset, document, failures, ran, versions

pytestmark = pytest.mark.laptop_cloud
SEARCH = TrainingOptions(
    resources=TrainingResources(max_minutes=5, spot=ManagedSpot(max_wait_minutes=10)),
    tuning=Tuning.bayesian(
        metric="worst_fold_alert_rate",
        goal="Minimize",
        ranges=[ParameterRange.integer("trees", 20, 40), ParameterRange.integer("max-samples", 64, 256)],
        max_jobs=2,
        parallel_jobs=1,
        max_minutes=10,
    ),
)


def search_stack() -> cdk.Stack:
    stack = cdk.Stack(cdk.App(), "Searched")
    lake = s3.Bucket(stack, "Lake")
    registry = ModelRegistry(stack, "Registry")
    gate = ModelGate(bounds=[MetricBound(metric="alert_rate", bound=0.2, direction="at_most")])
    role = iam.Role(stack, "AutoMlRole", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
    auto_ml = AutoMl(role=role, target="vibration", problem="Regression", objective="RMSE")
    image = TrainingImage.sklearn()
    pipelines = {
        "Search": TrainingPipeline(
            stack,
            "Search",
            algorithm=Algorithm.isolation_forest(),
            datasets=DatasetSource(bucket=lake),
            registry=registry,
            gate=gate,
            options=SEARCH,
        ),
        "Auto": TrainingPipeline(
            stack,
            "Auto",
            algorithm=Algorithm.tabular(auto_ml, evaluation=Evaluation.anomalies(image)),
            datasets=DatasetSource(bucket=lake),
            registry=registry,
            gate=gate,
        ),
    }
    queue = sqs.Queue(stack, "FailureQueue")
    pipelines["Auto"].on_failed("Failed", targets.SqsQueue(queue))
    outputs = {
        **{name: pipeline.machine.arn for name, pipeline in pipelines.items()},
        "Datasets": lake.bucket_name,
        "Artifacts": registry.bucket.bucket_name,
        "Group": registry.group_name,
        "Failures": queue.queue_url,
    }
    for name, value in outputs.items():
        cdk.CfnOutput(stack, f"{name}Output", value=value)
    return stack


@pytest.fixture(scope="module")
def outputs(guarded: LaptopCloud) -> Iterator[dict[str, str]]:
    stack = search_stack()
    app = cdk.Stage.of(stack)
    assert app is not None
    found = guarded.deploy(Path(app.synth().directory), stack.stack_name).outputs
    yield {name.removesuffix("Output"): value for name, value in found.items()}
    guarded.destroy(stack.stack_name)


def test_the_best_of_a_search_is_evaluated_and_registered(
    guarded: LaptopCloud, outputs: dict[str, str], until: Until
) -> None:
    ended = ran(guarded, until, outputs["Search"], "search", dataset(guarded, outputs["Datasets"], "v1"))
    assert ended["status"] == "SUCCEEDED", (ended.get("error"), ended.get("cause"))
    result = json.loads(ended["output"])
    assert result["approval_status"] == "PendingManualApproval"
    manifest = document(guarded, outputs["Artifacts"], result["manifest"].partition(f"{outputs['Artifacts']}/")[2])
    assert 20 <= int(manifest["hyperparameters"]["trees"]) <= 40
    assert 64 <= int(manifest["hyperparameters"]["max-samples"]) <= 256
    assert manifest["hyperparameters"]["features"] == "temperature,vibration"
    assert manifest["approver"] is None


def test_an_automl_job_that_fails_is_told_with_its_reason_and_registers_nothing(
    guarded: LaptopCloud, outputs: dict[str, str], until: Until
) -> None:
    before = versions(guarded, outputs["Group"])
    ended = ran(guarded, until, outputs["Auto"], "auto", dataset(guarded, outputs["Datasets"], "v2"))
    assert (ended["status"], ended["error"]) == ("FAILED", "TrainFailed")
    assert "ended as Failed with 0 containers" in ended["cause"]
    assert failures(guarded, until, outputs["Failures"])["step"] == "Train"
    assert versions(guarded, outputs["Group"]) == before
