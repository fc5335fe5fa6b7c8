"""The machines that deploy an approved version and that rebuild an endpoint."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from cdk_ml_lens.local import LaptopCloud
from cdk_ml_lens.review.template import Template
from tests.local import registry_support as support
from tests.local.conftest import Until
from tests.local.iam_proof.harness import Proof
from tests.local.iam_proof.machines.conftest import Proven
from tests.local.iam_proof.machines.executions import Machine
from tests.local.registry_support import Registry

pytestmark = pytest.mark.laptop_cloud
SETTING, STACK = "examples/registry.py", "Registry"
WRONG = "-1"  # a score below what the synthetic request expects
NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("registry")


@pytest.fixture(scope="module")
def registry(cloud: LaptopCloud, folder: Path) -> Registry:
    """The stack; approvals start nothing, the proofs do."""
    registry = Registry(cloud, support.deploy(cloud, folder))
    events = cloud.client("events")
    for rule in events.list_rules()["Rules"]:
        if "Deployment" in rule["Name"] and "sagemaker" in rule.get("EventPattern", ""):
            events.disable_rule(Name=rule["Name"])
    return registry


@pytest.fixture(scope="module")
def template(folder: Path, registry: Registry) -> Template:
    return Template(json.loads((folder / f"{STACK}.template.json").read_text()))


class Deployment:
    """Runs one of the two machines on an endpoint that is there, absent, or gets a version that answers badly."""

    def __init__(self, registry: Registry, output: str, until: Until) -> None:
        self._registry, self._rebuilds, self._until = registry, output == "Rebuild", until
        self._machine = Machine(registry.cloud, registry.outputs[output])

    def created(self) -> None:
        """Deploy where there is no endpoint."""
        self._absent()
        self._deploy("SUCCEEDED")

    def updated(self) -> None:
        """Deploy another version than the one that serves, which is swept."""
        if not self._registry.config():
            self.created()
        self._deploy("SUCCEEDED")

    def discarded(self) -> None:
        """Deploy a version that answers badly where there is no endpoint; it is deleted again."""
        self._absent()
        self._deploy("VerificationFailed", score=WRONG)

    def _absent(self) -> None:
        if self._registry.config():
            self._registry.remove_endpoint(self._until)

    def _deploy(self, end: str, **changes: str) -> None:
        version = f"v{next(NUMBERS)}"
        arn = self._registry.register(version, **changes)
        self._registry.approve(arn)
        request = {"version": version} if self._rebuilds else {"model_package_arn": arn}
        self._machine.run(end, **request)


@pytest.mark.parametrize("output", ["Deploy", "Rebuild"])
def test_the_machine_of_a_deployment_needs_each_of_its_rights(
    registry: Registry, template: Template, until: Until, proven: Proven, output: str
) -> None:
    deployment = Deployment(registry, output, until)
    works = {"sagemaker:CreateEndpoint": deployment.created, "sagemaker:DeleteEndpoint": deployment.discarded}
    proven(
        Proof(
            role="DeploymentMachineRole" if output == "Deploy" else "RebuildMachineRole",
            setting=SETTING,
            stack=STACK,
            template=template,
            work=deployment.updated,
            works=works,
        )
    )
