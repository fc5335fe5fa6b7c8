"""Fixtures of the machines' proofs: a cloud with IAM and real model servers, in which ten minutes last a second."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import aws_cdk as cdk
import pytest

from cdk_ml_lens.local import LaptopCloud, ModelRuntime
from cdk_ml_lens.review.template import Template
from tests.local.iam_proof import catalog, harness, outcomes
from tests.local.iam_proof.harness import Proof


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A deployed stack: its outputs, and its template as it was synthesized."""

    name: str
    outputs: dict[str, str]
    template: Template


Proven = Callable[[Proof], None]
Stage = Callable[..., Deployed]


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaptopCloud]:
    folder = tmp_path_factory.mktemp("machines")
    with LaptopCloud.start(auth=True, state_dir=folder, models=ModelRuntime(), time_scale=600) as started:
        yield started


@pytest.fixture(scope="session")
def stage(cloud: LaptopCloud) -> Stage:
    """Return a function that deploys a stack, or the stack of a setting."""

    def deploy(what: cdk.Stack | str, **parameters: str) -> Deployed:
        stack = catalog.build(what) if isinstance(what, str) else what
        assembly = cdk.Stage.of(stack)
        assert assembly is not None
        folder = Path(assembly.synth().directory)
        outputs = dict(cloud.deploy(folder, stack.stack_name, parameters=parameters).outputs)
        template = Template(json.loads((folder / f"{stack.artifact_id}.template.json").read_text()))
        return Deployed(name=stack.stack_name, outputs=outputs, template=template)

    return deploy


@pytest.fixture
def proven(cloud: LaptopCloud, request: pytest.FixtureRequest) -> Proven:
    """Return a function that proves a role and keeps the outcomes as evidence of this test."""

    def show(proof: Proof) -> None:
        outcomes.keep(harness.prove(cloud, proof, test=request.node.nodeid))

    return show
