"""Fixtures of the IAM proofs: deploy a setting once, prove a role, keep what was shown."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.iam_proof import catalog, evidence, harness, outcomes
from tests.local.iam_proof.harness import Proof
from tests.local.support import empty_artifact, endpoint_resources, write_assembly

WRITE = "ML_LENS_WRITE_EVIDENCE"  # set to 1, the run writes docs/evidence/iam.json
Proven = Callable[[Proof], None]
Stage = Callable[..., dict[str, str]]


@pytest.fixture(scope="session")
def stage(guarded: LaptopCloud) -> Stage:
    """Return a function that deploys an example or a stack by its setting, and returns the outputs."""

    def deploy(setting: str, **parameters: str) -> dict[str, str]:
        folder, name, _ = catalog.assembly(setting)
        return dict(guarded.deploy(folder, name, parameters=parameters).outputs)

    return deploy


@pytest.fixture(scope="session")
def model(guarded: LaptopCloud) -> dict[str, str]:
    """Upload a model that FakeModelServer serves; the parameters of an example that takes one."""
    guarded.client("s3").create_bucket(Bucket="models")
    guarded.client("s3").put_object(Bucket="models", Key="proof.tar.gz", Body=empty_artifact())
    return {"ModelBucket": "models", "ModelKey": "proof.tar.gz"}


@pytest.fixture(scope="module")
def endpoint(guarded: LaptopCloud, model: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Deploy the endpoint that the examples are about; it goes with its file, as every stack does."""
    resources = endpoint_resources("turbine-anomalies", "s3://{ModelBucket}/{ModelKey}".format(**model))
    folder = write_assembly(tmp_path_factory.mktemp("endpoint"), "ProofEndpoint", {"Resources": resources})
    guarded.deploy(folder, "ProofEndpoint")


@pytest.fixture
def proven(guarded: LaptopCloud, request: pytest.FixtureRequest) -> Proven:
    """Return a function that proves a role and keeps the outcomes as evidence of this test."""

    def show(proof: Proof) -> None:
        outcomes.keep(harness.prove(guarded, proof, test=request.node.nodeid))

    return show


def pytest_sessionfinish() -> None:
    """Write the evidence of this run if it is asked for."""
    if os.environ.get(WRITE) == "1" and outcomes.SEEN:
        evidence.write(outcomes.SEEN)
