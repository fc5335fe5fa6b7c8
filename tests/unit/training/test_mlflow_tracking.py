"""MlflowTracking: an app with its own encrypted bucket, and jobs that find and reach it."""

from __future__ import annotations

from collections.abc import Callable

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from cdk_ml_lens import MlflowTracking, ParameterRange, PropError, TrainingIsolation, TrainingOptions, Tuning
from tests.unit.templates import Template
from tests.unit.training.pipeline_support import definition, pipeline

Synth = Callable[[cdk.Stack], Template]
OPEN = TrainingIsolation(isolated=False)


def test_minimal_registers_nothing_and_reaches_its_own_bucket_only(stack: cdk.Stack, synth: Synth) -> None:
    MlflowTracking(stack, "Runs")
    template = synth(stack)
    app = template.only("AWS::SageMaker::MlflowApp")
    assert app["ModelRegistrationMode"] == "AutoModelRegistrationDisabled"
    assert "/mlflow" in str(app["ArtifactStoreUri"])
    assert template.actions("RunsRole") == {
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "s3:AbortMultipartUpload",
        "s3:DeleteObject",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:PutObject",
    }
    (id,) = template.of_type("AWS::SageMaker::MlflowApp")
    assert any("RunsRoleDefaultPolicy" in needed for needed in template.depends_on(id))


def test_a_principal_that_is_no_construct_may_log(stack: cdk.Stack) -> None:
    runs = MlflowTracking(stack, "Runs")
    granted = runs.grant_log(iam.AccountPrincipal("111122223333"))
    assert not granted.success  # its own account has to allow it


def test_full_takes_name_key_and_registration(stack: cdk.Stack, synth: Synth) -> None:
    key = kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:eu-west-1:111122223333:key/own")
    MlflowTracking(stack, "Runs", name="turbines", register_models=True, encryption_key=key)
    template = synth(stack)
    app = template.only("AWS::SageMaker::MlflowApp")
    assert (app["Name"], app["ModelRegistrationMode"]) == ("turbines", "AutoModelRegistrationEnabled")
    assert not template.of_type("AWS::KMS::Key")


@pytest.mark.parametrize("searches", [False, True])
def test_jobs_find_the_app_and_may_log(stack: cdk.Stack, synth: Synth, searches: bool) -> None:
    search = Tuning.bayesian(
        metric="worst_fold_alert_rate", goal="Minimize", ranges=[ParameterRange.integer("trees", 50, 400)]
    )
    options = TrainingOptions(
        isolation=OPEN, tracking=MlflowTracking(stack, "Runs"), tuning=search if searches else None
    )
    pipeline(stack, options=options)
    template = synth(stack)
    arguments = definition(template)["States"]["Train"]["Arguments"]
    job = arguments["TrainingJobDefinition"] if searches else arguments
    assert job["EnableNetworkIsolation"] is False
    assert job["Environment"]["MLFLOW_TRACKING_URI"] == "token"
    assert "sagemaker:CallMlflowAppApi" in template.actions("PipelineTraining")
    assert "sagemaker:CallMlflowAppApi" not in template.actions("PipelineEvaluation")


def test_evaluation_stays_closed_beside_a_training_that_logs(stack: cdk.Stack, synth: Synth) -> None:
    pipeline(stack, options=TrainingOptions(isolation=OPEN, tracking=MlflowTracking(stack, "Runs")))
    evaluation = definition(synth(stack))["States"]["Evaluate"]["Arguments"]
    assert evaluation["NetworkConfig"]["EnableNetworkIsolation"] is True


def test_fails_on_containers_without_a_network(stack: cdk.Stack) -> None:
    with pytest.raises(PropError, match="isolation must have isolated=False for tracking"):
        pipeline(stack, options=TrainingOptions(tracking=MlflowTracking(stack, "Runs")))


@pytest.mark.parametrize("name", ["", "-a", "a_b", "a" * 257])
def test_fails_on_a_bad_name(stack: cdk.Stack, name: str) -> None:
    with pytest.raises(PropError, match="name must be 1 to 256"):
        MlflowTracking(stack, "Runs", name=name)


def test_nag_is_clean(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    pipeline(stack, options=TrainingOptions(isolation=OPEN, tracking=MlflowTracking(stack, "Runs")))
    assert nag(stack) == []
