"""register_candidate: manifest and package, both or none, once per execution, approved only when complete."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from handlers.register_candidate import NotPassedError, RegistryClients, run
from ml_lens_runtime.errors import ConfigurationError
from ml_lens_runtime.registration import RegistrationSettings
from ml_lens_runtime.s3_json import DocumentError

MODEL = "s3://artifacts/training/run-1/output/model.tar.gz"
IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
ENVIRON = {
    "GROUP": "turbines",
    "BUCKET": "artifacts",
    "APPROVAL_STATUS": "PendingManualApproval",
    "IMAGE": IMAGE,
    "ENVIRONMENT": '{"SAGEMAKER_PROGRAM": "inference.py"}',
    "CONTENT_TYPES": "text/csv,application/json",
    "RESPONSE_TYPES": "text/csv",
    "CODE_URI": "s3://assets/code.gz",
    "CODE_SHA256": "abc",
    "ENDPOINT": '{"variant_name": "champion", "instance_type": "ml.m5.large", "instance_count": 1}',
}
SETTINGS = RegistrationSettings.parse(ENVIRON)
AUTOMATIC = replace(SETTINGS, approval_status="Approved")
EVENT = {
    "execution": "run-1",
    "dataset": {"uri": "s3://lake/datasets/7/dataset.json", "version": "7", "sha256": "def"},
    "evaluation": "s3://artifacts/evaluations/run-1/evaluation.json",
    "decision": "s3://artifacts/evaluations/run-1/decision.json",
    "model_data": MODEL,
    "training_job": "turbines-run-1",
    "hyperparameters": {"trees": "200"},
}
DECISION = {"passed": True, "checks": [], "dataset_version": "7", "candidate_model": MODEL}
EVALUATION = {"candidate": {"model_version": "anomaly-1a2b", "metrics": {"recall": 0.9}}, "champion": None, "rows": 500}
MANIFEST = "manifests/anomaly-1a2b-run-1.json"


@dataclass
class FakeSageMaker:
    """Model packages in memory, by ClientToken. Checks no field, resolves one digest, fails where it is told to."""

    packages: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)

    def create_model_package(self, **request: Any) -> dict[str, str]:
        self._called("create")
        arn = f"arn:aws:sagemaker:us-east-1:111122223333:model-package/turbines/{len(self.packages) + 1}"
        arn = self.tokens.setdefault(request["ClientToken"], arn)
        stored = copy.deepcopy(request)
        stored["InferenceSpecification"]["Containers"][0]["ImageDigest"] = "sha256:0123"
        self.packages.setdefault(arn, stored)
        return {"ModelPackageArn": arn}

    def describe_model_package(self, *, ModelPackageName: str) -> dict[str, Any]:  # noqa: N803
        self._called("describe")
        return self.packages[ModelPackageName]

    def update_model_package(self, *, ModelPackageArn: str, **changes: str) -> None:  # noqa: N803
        self._called("update")
        self.packages[ModelPackageArn].update(changes)

    def delete_model_package(self, *, ModelPackageName: str) -> None:  # noqa: N803
        self._called("delete")
        del self.packages[ModelPackageName]

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if name in self.broken:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, name)


@dataclass
class Account:
    """S3 on moto, and a fake registry."""

    s3: Any
    sagemaker: FakeSageMaker = field(default_factory=FakeSageMaker)

    def write(self, key: str, document: Any) -> None:
        self.s3.put_object(Bucket="artifacts", Key=key, Body=json.dumps(document))

    def register(self, settings: RegistrationSettings = SETTINGS, **changes: Any) -> dict[str, Any]:
        clients = RegistryClients(s3=self.s3, sagemaker=self.sagemaker)
        return run({**EVENT, **changes}, settings=settings, clients=clients)

    def manifests(self) -> list[str]:
        found = self.s3.list_objects_v2(Bucket="artifacts", Prefix="manifests/").get("Contents", [])
        return [entry["Key"] for entry in found]

    def manifest(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.s3.get_object(Bucket="artifacts", Key=MANIFEST)["Body"].read())
        return found


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        made = Account(s3=boto3.client("s3", region_name="us-east-1"))
        made.s3.create_bucket(Bucket="artifacts")
        made.write("evaluations/run-1/decision.json", DECISION)
        made.write("evaluations/run-1/evaluation.json", EVALUATION)
        yield made


def test_manifest_holds_what_a_rebuild_needs_and_the_package_points_to_it(account: Account) -> None:
    answer = account.register()
    ((arn, package),) = account.sagemaker.packages.items()
    assert answer == {
        "model_version": "anomaly-1a2b",
        "model_package_arn": arn,
        "manifest": f"s3://artifacts/{MANIFEST}",
        "approval_status": "PendingManualApproval",
    }
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert package["CustomerMetadataProperties"] == {
        "manifest": f"s3://artifacts/{MANIFEST}",
        "model_version": "anomaly-1a2b",
        "dataset_version": "7",
    }
    assert account.manifest() == {
        "manifest_version": 1,
        "model_version": "anomaly-1a2b",
        "model_package_arn": arn,
        "model_data": MODEL,
        "image": IMAGE.replace(":1.9-0-cpu-py3", "@sha256:0123"),
        "environment": {"SAGEMAKER_PROGRAM": "inference.py"},
        "hyperparameters": {"trees": "200"},
        "code": {"uri": "s3://assets/code.gz", "sha256": "abc"},
        "dataset": EVENT["dataset"],
        "metrics": {"recall": 0.9},
        "gate": DECISION,
        "approver": None,
        "endpoint": {"variant_name": "champion", "instance_type": "ml.m5.large", "instance_count": 1},
        "execution": "run-1",
    }


def test_automatic_approval_comes_after_the_manifest(account: Account) -> None:
    account.register(AUTOMATIC)
    assert account.sagemaker.calls[0] == "create"
    assert account.sagemaker.calls[-1] == "update"
    ((_, package),) = account.sagemaker.packages.items()
    assert package["ModelApprovalStatus"] == "Approved"
    assert account.manifest()["approver"] == "the gate"


@pytest.mark.parametrize("settings", [SETTINGS, AUTOMATIC])
def test_the_same_event_twice_registers_once(account: Account, settings: RegistrationSettings) -> None:
    first, second = account.register(settings), account.register(settings)
    assert first == second
    assert account.sagemaker.calls.count("create") == 1
    assert account.sagemaker.calls.count("update") == (1 if settings is AUTOMATIC else 0)
    assert account.manifests() == [MANIFEST]


def test_a_call_that_died_before_its_manifest_is_finished_by_the_next(account: Account) -> None:
    account.register()
    account.s3.delete_object(Bucket="artifacts", Key=MANIFEST)
    account.register()
    assert len(account.sagemaker.packages) == 1
    assert account.manifests() == [MANIFEST]


def test_an_approval_that_was_lost_is_made_up_for(account: Account) -> None:
    account.register()
    account.register(AUTOMATIC)
    ((_, package),) = account.sagemaker.packages.items()
    assert package["ModelApprovalStatus"] == "Approved"


@pytest.mark.parametrize("broken", ["create", "describe", "update"])
def test_a_failure_leaves_neither_package_nor_manifest(account: Account, broken: str) -> None:
    account.sagemaker.broken.add(broken)
    with pytest.raises(ClientError, match="slow down"):
        account.register(AUTOMATIC)
    assert account.sagemaker.packages == {}
    assert account.manifests() == []


def test_a_manifest_that_cannot_be_written_leaves_no_package(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutObject")

    monkeypatch.setattr(account.s3, "put_object", refuse)
    with pytest.raises(ClientError, match="AccessDenied"):
        account.register()
    assert account.sagemaker.calls == ["create", "describe", "delete"]
    assert account.sagemaker.packages == {}


def test_the_first_error_counts_when_taking_back_fails_too(account: Account) -> None:
    account.sagemaker.broken |= {"update", "delete"}
    with pytest.raises(ClientError, match=r"\(ThrottlingException\) when calling the update"):
        account.register(AUTOMATIC)
    assert account.manifests() == []


def test_a_manifest_that_cannot_be_taken_back_keeps_its_package_for_the_next_call(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "SlowDown", "Message": "no"}}, "DeleteObject")

    account.sagemaker.broken.add("update")
    with monkeypatch.context() as patch:
        patch.setattr(account.s3, "delete_object", refuse)
        with pytest.raises(ClientError, match="update"):
            account.register(AUTOMATIC)
    account.sagemaker.broken.clear()

    answer = account.register(AUTOMATIC)

    assert [answer["model_package_arn"]] == list(account.sagemaker.packages)
    assert account.manifest()["model_package_arn"] == answer["model_package_arn"]


@pytest.mark.parametrize("decision", [{**DECISION, "passed": False}, {**DECISION, "candidate_model": "s3://x/y"}, {}])
def test_what_did_not_pass_is_not_registered(account: Account, decision: dict[str, Any]) -> None:
    account.write("evaluations/run-1/decision.json", decision)
    with pytest.raises(NotPassedError, match="must be a pass"):
        account.register()
    assert account.sagemaker.calls == []


def test_an_artifact_that_states_no_version_is_named_after_its_job(account: Account) -> None:
    account.write("evaluations/run-1/evaluation.json", {**EVALUATION, "candidate": {"metrics": {"recall": 0.9}}})
    assert account.register()["model_version"] == "turbines-run-1"


@pytest.mark.parametrize(
    ("name", "value"),
    [("GROUP", ""), ("APPROVAL_STATUS", "Yes"), ("ENVIRONMENT", "[]"), ("ENDPOINT", "no json"), ("IMAGE", " ")],
)
def test_a_bad_variable_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{name} "):
        RegistrationSettings.parse({**ENVIRON, name: value})


def test_a_container_that_the_run_chose_takes_the_place_of_the_configured_one(account: Account) -> None:
    account.register(image="repository/auto:1", environment={"MODE": "ensemble"})
    ((_, package),) = account.sagemaker.packages.items()
    (container,) = package["InferenceSpecification"]["Containers"]
    assert (container["Image"], container["Environment"]) == ("repository/auto:1", {"MODE": "ensemble"})
    manifest = account.manifest()
    assert (manifest["image"], manifest["environment"]) == ("repository/auto@sha256:0123", {"MODE": "ensemble"})


@pytest.mark.parametrize(
    ("candidate", "said"),
    [
        (None, "must name the candidate's metrics"),
        ({"metrics": [0.9]}, "must name the candidate's metrics"),
        ({"metrics": {}, "model_version": "../../anomaly"}, "model_version must be letters, digits"),
    ],
)
def test_an_evaluation_that_no_manifest_can_be_made_of_registers_nothing(
    account: Account, candidate: Any, said: str
) -> None:
    account.write("evaluations/run-1/evaluation.json", {**EVALUATION, "candidate": candidate})
    with pytest.raises(DocumentError, match=said):
        account.register()
    assert (account.sagemaker.calls, account.manifests()) == ([], [])
