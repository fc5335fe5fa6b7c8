"""Fixtures of the IAM proofs: deploy a setting once, prove a role, keep what was shown."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.iam_proof import catalog, harness, outcomes
from tests.local.iam_proof.harness import Proof

Proven = Callable[[Proof], None]
Stage = Callable[..., dict[str, str]]


@pytest.fixture(scope="session")
def stage(guarded: LaptopCloud) -> Stage:
    """Return a function that deploys an example or a stack by its setting, and returns the outputs."""

    def deploy(setting: str, **parameters: str) -> dict[str, str]:
        folder, name, _ = catalog.assembly(setting)
        return dict(guarded.deploy(folder, name, parameters=parameters).outputs)

    return deploy


@pytest.fixture
def proven(guarded: LaptopCloud, request: pytest.FixtureRequest) -> Proven:
    """Return a function that proves a role and keeps the outcomes as evidence of this test."""

    def show(proof: Proof) -> None:
        outcomes.keep(harness.prove(guarded, proof, test=request.node.nodeid))

    return show
