"""ApprovedDeployment and RebuildEndpoint with IAM enforced: an approval serves, everything else leaves what served."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_ml_lens.local import LaptopCloud, ModelRuntime, cli
from tests.local import registry_support as support
from tests.local.registry_support import BREAKING, Registry

pytestmark = pytest.mark.laptop_cloud
Until = Callable[..., Any]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaptopCloud]:
    """A cloud that enforces IAM, in which a minute of AWS lasts a second."""
    folder = tmp_path_factory.mktemp("cloud")
    with LaptopCloud.start(auth=True, state_dir=folder, models=ModelRuntime(), time_scale=60) as started:
        yield started


@pytest.fixture(scope="module")
def deployed(cloud: LaptopCloud, tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """The stack with a first version in service."""
    registry = Registry(cloud, support.deploy(cloud, tmp_path_factory.mktemp("assembly")))
    registry.approve(registry.register("v1"))
    first = registry.outcome()
    assert first["detail-type"] == "Deployment Succeeded", first
    return registry


@pytest.fixture
def registry(deployed: Registry) -> Registry:
    deployed.quiet()
    return deployed


def test_the_first_approval_makes_the_endpoint_and_the_next_one_updates_it(registry: Registry) -> None:
    assert registry.answer()["model_version"] == "v1"
    before = registry.config()
    arn = registry.register("v2")
    registry.approve(arn)
    event = registry.outcome()
    assert event["detail-type"] == "Deployment Succeeded", event
    assert (event["detail"]["model_version"], event["detail"]["model_package_arn"]) == ("v2", arn)
    assert registry.answer()["model_version"] == "v2"
    assert registry.config() not in ("", before)
    registry.quiet()
    configs = registry.sagemaker.list_endpoint_configs()["EndpointConfigs"]
    assert [item["EndpointConfigName"] for item in configs] == [registry.config()]  # the old one is swept
    assert [item["ModelName"] for item in registry.sagemaker.list_models()["Models"]] == [registry.config()]
    manifest = registry.manifest("v2")
    assert manifest["approver"]
    assert len(manifest["model_data_sha256"]) == 64


def serving(registry: Registry) -> tuple[str, str]:
    """Return the configuration that serves, and the version that answers."""
    return registry.config(), registry.answer()["model_version"]


def failed(registry: Registry, arn: str) -> dict[str, Any]:
    """Approve a version that must not be deployed; return the event's detail, and check that nothing has changed."""
    before = serving(registry)
    registry.approve(arn)
    event = registry.outcome()
    assert event["detail-type"] == "Deployment Failed", event
    assert event["detail"]["model_package_arn"] == arn
    assert serving(registry) == before
    detail: dict[str, Any] = event["detail"]
    registry.approve(arn, "Rejected")
    return detail


def test_a_version_that_gives_a_wrong_answer_is_taken_back(registry: Registry) -> None:
    detail = failed(registry, registry.register("wrong", score="-1"))
    assert detail["error"] == "VerificationFailed"
    assert "the answer is -1" in detail["reason"]
    assert "again" in detail["reason"]


def test_a_version_that_cannot_be_loaded_never_serves(registry: Registry) -> None:
    detail = failed(registry, registry.register("unloadable", loading="__import__('os')._exit(1)"))
    assert detail["error"] in ("RolledBack", "RolloutFailed")


def test_a_version_that_fails_live_requests_is_rolled_back_by_its_alarms(registry: Registry) -> None:
    with Asking(registry) as asking:
        detail = failed(registry, registry.register("breaking", score=BREAKING))
    assert detail["error"] == "RolledBack"
    assert asking.failed > 0
    assert asking.answered > asking.failed


def test_a_lost_or_changed_artifact_is_named_and_not_deployed(registry: Registry) -> None:
    arn = registry.register("changed", model_data_sha256="0" * 64)
    detail = failed(registry, arn)
    assert detail["error"] == "ArtifactChangedError"


def test_a_version_that_nobody_approved_is_not_deployed_by_hand(registry: Registry) -> None:
    before = serving(registry)
    ended = registry.run("Deploy", model_package_arn=registry.register("pending"))
    assert (ended["status"], ended["error"]) == ("FAILED", "NotApprovedError")
    assert serving(registry) == before


def test_the_same_approval_twice_deploys_once(registry: Registry) -> None:
    arn = registry.register("twice")
    registry.approve(arn)
    assert registry.outcome()["detail-type"] == "Deployment Succeeded"
    before, manifest = serving(registry), registry.manifest("twice")
    assert registry.run("Deploy", model_package_arn=arn)["status"] == "SUCCEEDED"
    assert serving(registry) == before
    assert registry.manifest("twice") == manifest


def test_two_approvals_are_deployed_one_after_the_other_and_the_newer_serves(registry: Registry) -> None:
    arns = [registry.register(name) for name in ("pair-1", "pair-2")]
    for arn in arns:
        registry.approve(arn)
    events = [registry.outcome() for _ in arns]
    assert registry.answer()["model_version"] == "pair-2"
    by_version = {event["detail"]["model_package_arn"]: event for event in events}
    assert by_version[arns[1]]["detail-type"] == "Deployment Succeeded"
    # The older one was deployed before the newer was approved, or is told to be superseded.
    older = by_version[arns[0]]
    assert older["detail-type"] == "Deployment Succeeded" or older["detail"]["error"] == "SupersededError"


def test_a_deployment_that_was_killed_is_finished_by_the_next_start(registry: Registry, until: Until) -> None:
    arn = registry.register("killed")
    registry.approve(arn)
    until(lambda: "WaitForRollout" in registry.progress(), seconds=60)
    for execution in registry.running():
        registry.machines.stop_execution(executionArn=execution, error="Killed", cause="by the test")
    ended = registry.run("Deploy", model_package_arn=arn)
    assert ended["status"] == "SUCCEEDED", ended
    assert registry.answer()["model_version"] == "killed"
    assert registry.manifest("killed")["approver"]


def test_a_first_version_that_gives_a_wrong_answer_serves_nobody(registry: Registry, until: Until) -> None:
    registry.remove_endpoint(until)
    arn = registry.register("wrong-first", score="-1")
    registry.approve(arn)
    event = registry.outcome()
    assert (event["detail-type"], event["detail"]["error"]) == ("Deployment Failed", "VerificationFailed")
    until(lambda: registry.config() == "")
    registry.approve(arn, "Rejected")
    registry.quiet()
    registry.approve(registry.register("right-first"))
    assert registry.outcome()["detail-type"] == "Deployment Succeeded"
    assert registry.answer()["model_version"] == "right-first"


def test_a_lost_endpoint_is_rebuilt_from_the_manifest_and_answers_the_same(registry: Registry, until: Until) -> None:
    registry.approve(registry.register("rebuilt"))
    assert registry.outcome()["detail-type"] == "Deployment Succeeded"
    key, inputs = "models/rebuilt/model.tar.gz", [(number / 100, number / 7) for number in range(100)]
    expected, artifact = [registry.answer(*row) for row in inputs], digest(registry, key)
    package = registry.manifest("rebuilt")["model_package_arn"]
    registry.remove_endpoint(until)
    registry.sagemaker.delete_model_package(ModelPackageName=package)
    ended = registry.run("Rebuild", version="rebuilt")
    assert ended["status"] == "SUCCEEDED", ended
    assert [registry.answer(*row) for row in inputs] == expected
    assert digest(registry, key) == artifact == registry.manifest("rebuilt")["model_data_sha256"]


def test_the_command_goes_back_to_an_older_version_without_its_approval(
    registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--endpoint-url", registry.cloud.endpoint_url, "--json"]
    assert cli.main(["rebuild", "v1", *where]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["status"], told["endpoint"], told["version"]) == ("SUCCEEDED", "turbines", "v1")
    assert told["manifest"] == f"s3://{registry.bucket}/manifests/v1-e1.json"
    assert registry.answer()["model_version"] == "v1"
    assert cli.main(["rebuild", "never-made", *where]) == 1
    assert json.loads(capsys.readouterr().out)["error"] == "ManifestError"
    assert cli.main(["rebuild", "v1", "--endpoint", "another", *where]) == 1
    assert "0 state machines of endpoint another" in capsys.readouterr().err


def test_a_rebuild_of_what_is_no_manifest_fails_by_name_and_leaves_the_endpoint(registry: Registry) -> None:
    before = serving(registry)
    ended = registry.run("Rebuild", manifest="s3://elsewhere/manifests/v1.json")
    assert (ended["status"], ended["error"]) == ("FAILED", "ManifestError")
    assert serving(registry) == before


def digest(registry: Registry, key: str) -> str:
    body = registry.s3.get_object(Bucket=registry.bucket, Key=key)["Body"].read()
    return hashlib.sha256(body).hexdigest()


class Asking:
    """Asks the endpoint all the time from one thread, with one feature; counts answers and failures."""

    def __init__(self, registry: Registry) -> None:
        self.answered = self.failed = 0
        self._registry, self._stop = registry, threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> Asking:
        self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._stop.set()
        self._thread.join(10)

    def _ask(self) -> None:
        while not self._stop.wait(0.02):
            try:
                self._registry.answer(0.1)
            except ClientError:
                self.failed += 1
            else:
                self.answered += 1
