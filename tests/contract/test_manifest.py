"""The manifest: what training registers is what a deployment and a rebuild read, by running both sides."""

from __future__ import annotations

import json
from typing import Any

from ml_lens_runtime.deployment_plan import Settings, plan
from ml_lens_runtime.manifest import MANIFEST_VERSION, Manifest
from ml_lens_runtime.registration import MANIFEST_VERSION as WRITTEN
from ml_lens_runtime.registration import Candidate, RegistrationSettings

ARN = "arn:aws:sagemaker:eu-west-1:1:model-package/turbines/3"
SETTINGS = RegistrationSettings(
    group="turbines",
    bucket="registry",
    approval_status="PendingManualApproval",
    image="1.dkr.ecr.eu-west-1.amazonaws.com/sklearn:1",
    environment={"SAGEMAKER_PROGRAM": "inference.py"},
    content_types=("text/csv",),
    response_types=("text/csv",),
    code_uri="s3://registry/code.tar.gz",
    code_sha256="c",
    endpoint={"variant_name": "primary", "instance_type": "ml.m5.large", "instance_count": 2},
)
EVENT: dict[str, Any] = {
    "execution": "e1",
    "dataset": {"uri": "s3://lake/datasets/d1/dataset.json", "version": "d1", "sha256": "d"},
    "model_data": "s3://registry/models/e1/output/model.tar.gz",
    "training_job": "turbines-e1",
    "hyperparameters": {"trees": "100"},
}


def written() -> Manifest:
    candidate = Candidate(
        event=EVENT,
        evaluation={"candidate": {"metrics": {"alert_rate": 0.001}, "model_version": "v3"}},
        decision={"passed": True, "candidate_model": EVENT["model_data"]},
    )
    document = candidate.manifest(SETTINGS, arn=ARN, image="1.dkr.ecr.eu-west-1.amazonaws.com/sklearn@sha256:abc")
    assert candidate.manifest_uri(SETTINGS).startswith("s3://registry/manifests/v3-")
    return Manifest.parse(json.dumps(document).encode())


def test_both_sides_write_and_read_the_same_format_version() -> None:
    assert WRITTEN == MANIFEST_VERSION


def test_a_deployment_finds_all_it_needs_in_what_training_wrote() -> None:
    settings = Settings(
        bucket="registry",
        group="turbines",
        expire_days=None,
        name_prefix="p",
        role_arn="arn:aws:iam::1:role/r",
        variant_name="primary",
        instance_type=None,
        instance_count=None,
        volume_key_arn="arn:aws:kms:eu-west-1:1:key/k",
        capture=None,
        network=None,
    )
    made = plan(written(), settings=settings, from_package=False, execution="run")
    assert made["model"]["PrimaryContainer"] == {
        "Image": "1.dkr.ecr.eu-west-1.amazonaws.com/sklearn@sha256:abc",
        "ModelDataUrl": EVENT["model_data"],
        "Environment": {"SAGEMAKER_PROGRAM": "inference.py"},
    }
    (variant,) = made["config"]["ProductionVariants"]
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.m5.large", 2)
    assert (made["model_version"], made["model_package_arn"]) == ("v3", ARN)


def test_what_a_deployment_adds_leaves_what_training_wrote() -> None:
    manifest = written()
    added = Manifest.parse(manifest.completed({"approver": "anna", "model_data_sha256": "a"}))
    assert {name: added.document[name] for name in manifest.document if name != "approver"} == {
        name: value for name, value in manifest.document.items() if name != "approver"
    }
    assert (added.document["approver"], added.sha256) == ("anna", "a")
