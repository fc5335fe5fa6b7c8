"""The handlers that judge and register a candidate, and that prepare and record a deployment."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cdk_ml_lens.local import LaptopCloud
from cdk_ml_lens.review.template import Template
from tests.local import registry_support
from tests.local.iam_proof.harness import Proof, Refused
from tests.local.iam_proof.machines import model_stack
from tests.local.iam_proof.machines.conftest import Deployed, Proven, Stage
from tests.local.iam_proof.support import invoked, logging, physical, refusals
from tests.local.registry_support import Registry

pytestmark = pytest.mark.laptop_cloud
NUMBERS = itertools.count()
TRAINING, REGISTRY = "examples/training_pipeline.py", "examples/registry.py"
STACK = "Registry"


@pytest.fixture(scope="module")
def models(cloud: LaptopCloud, stage: Stage) -> Iterator[Deployed]:
    deployed = stage(model_stack.build())
    yield deployed
    # What is registered here would be the champion of a pipeline that is trained later, and cannot be unpacked.
    sagemaker = cloud.client("sagemaker")
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=deployed.outputs["GroupOutput"]
    )
    for package in [package for page in pages for package in page["ModelPackageSummaryList"]]:
        sagemaker.delete_model_package(ModelPackageName=package["ModelPackageArn"])


@pytest.fixture(scope="module")
def written(cloud: LaptopCloud, models: Deployed) -> Callable[[], dict[str, Any]]:
    """Return a function that writes what a run has written before its candidate is judged and registered."""
    bucket, s3 = models.outputs["ArtifactsOutput"], cloud.client("s3")

    def write() -> dict[str, Any]:
        run = f"run-{next(NUMBERS)}"
        place = f"s3://{bucket}/evaluations/{run}"
        candidate = {"model_version": run, "metrics": {"loss": 0.0}}
        model = f"s3://{bucket}/training/{run}.tar.gz"
        documents = {
            "evaluation": {"candidate": candidate, "champion": None, "dataset_version": "one", "rows": 1000},
            "decision": {"passed": True, "candidate_model": model, "checks": []},
        }
        s3.put_object(Bucket=bucket, Key=f"training/{run}.tar.gz", Body=b"tiny")
        for name, document in documents.items():
            s3.put_object(Bucket=bucket, Key=f"evaluations/{run}/{name}.json", Body=json.dumps(document))
        return {
            **{name: f"{place}/{name}.json" for name in documents},
            "execution": run,
            "dataset": {"uri": "s3://data/one", "version": "one", "sha256": "0" * 64},
            "dataset_version": "one",
            "candidate_model": model,
            "model_data": model,
            "training_job": run,
            "hyperparameters": {},
        }

    return write


def test_judge_candidate_needs_each_of_its_rights(
    cloud: LaptopCloud, models: Deployed, written: Callable[[], dict[str, Any]], proven: Proven
) -> None:
    function = models.outputs["JudgeOutput"]

    def judge() -> None:
        assert invoked(cloud, function, written())["passed"] is True

    proven(
        Proof(
            role="TrainingJudgeRole",
            setting=TRAINING,
            stack=models.name,
            template=models.template,
            work=judge,
            works=logging(cloud, function, written()),
        )
    )


def test_register_candidate_needs_each_of_its_rights(
    cloud: LaptopCloud, models: Deployed, written: Callable[[], dict[str, Any]], proven: Proven
) -> None:
    function = models.outputs["RegisterOutput"]

    def register() -> None:
        assert invoked(cloud, function, written())["approval_status"] == "Approved"

    def take_back() -> None:
        """Fail after the version was made, as no manifest can be written: version and manifest go again."""
        before = cloud.log.stat().st_size
        event = json.dumps(written()).encode()
        with no_manifests(cloud, models.outputs["ArtifactsOutput"]):
            answer = cloud.client("lambda").invoke(FunctionName=function, Payload=event)
        assert answer["FunctionError"]
        refused = [action for action in refusals(cloud, before, function) if ":Delete" in action]
        if refused:
            raise Refused(f"AccessDenied: {refused[0]}; something is left behind")

    works = {"sagemaker:DeleteModelPackage": take_back, "s3:DeleteObject": take_back}
    proven(
        Proof(
            role="TrainingRegisterRole",
            setting=TRAINING,
            stack=models.name,
            template=models.template,
            work=register,
            works={**works, **logging(cloud, function, written())},
        )
    )


@contextmanager
def no_manifests(cloud: LaptopCloud, bucket: str) -> Iterator[None]:
    """Deny everybody to write manifests into a bucket."""
    s3 = cloud.client("s3")
    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    manifests = f"arn:aws:s3:::{bucket}/manifests/*"
    denial = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": manifests}
    more = {**policy, "Statement": [*policy["Statement"], denial]}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(more))
    try:
        yield
    finally:
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("registry")


@pytest.fixture(scope="module")
def registry(cloud: LaptopCloud, folder: Path) -> Registry:
    return Registry(cloud, registry_support.deploy(cloud, folder))


@pytest.fixture(scope="module")
def template(folder: Path, registry: Registry) -> Template:
    return Template(json.loads((folder / f"{STACK}.template.json").read_text()))


def test_prepare_deployment_needs_each_of_its_rights(
    cloud: LaptopCloud, registry: Registry, template: Template, proven: Proven
) -> None:
    function = physical(cloud, STACK, "DeploymentPrepareFunction")
    version = f"p{next(NUMBERS)}"
    arn = registry.register(version)
    registry.approve(arn)
    approved = {"mode": "approved", "execution": "e1", "request": {"model_package_arn": arn}}
    rebuilt = {"mode": "rebuild", "execution": "e2", "request": {"version": version}}

    def prepare() -> None:
        assert invoked(cloud, function, approved)["model_version"] == version

    def find() -> None:
        """Find the manifest of a version by listing."""
        assert invoked(cloud, function, rebuilt)["model_version"] == version

    proven(
        Proof(
            role="DeploymentPrepareRole",
            setting=REGISTRY,
            stack=STACK,
            template=template,
            work=prepare,
            works={"s3:ListBucket": find, **logging(cloud, function, approved)},
        )
    )


def test_record_deployment_needs_each_of_its_rights(
    cloud: LaptopCloud, registry: Registry, template: Template, proven: Proven
) -> None:
    function = physical(cloud, STACK, "DeploymentRecordFunction")

    def event() -> dict[str, Any]:
        version = f"r{next(NUMBERS)}"
        registry.register(version)
        manifest = f"s3://{registry.bucket}/manifests/{version}-e1.json"
        return {"manifest": manifest, "approver": "somebody", "sha256": "0" * 64}

    def record() -> None:
        assert invoked(cloud, function, event())["written"] is True

    proven(
        Proof(
            role="DeploymentRecordRole",
            setting=REGISTRY,
            stack=STACK,
            template=template,
            work=record,
            works=logging(cloud, function, event()),
        )
    )
