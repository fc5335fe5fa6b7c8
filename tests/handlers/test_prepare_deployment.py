"""prepare_deployment: an approved version becomes the calls that serve it; whatever must not be served is named."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto import mock_aws

from handlers import prepare_deployment
from handlers.prepare_deployment import ArtifactChangedError
from ml_lens_runtime.deployment_plan import Settings
from ml_lens_runtime.errors import ConfigurationError
from ml_lens_runtime.manifest import ManifestError
from ml_lens_runtime.model_versions import (
    ApprovalExpiredError,
    NotApprovedError,
    SupersededError,
    VersionMissingError,
    number,
)
from tests.handlers.registry_account import ARTIFACT, BUCKET, GROUP, SETTINGS, Account, manifest, manifest_uri

DAY = 86_400.0
ENVIRONMENT = {
    "REGISTRY_BUCKET": BUCKET,
    "GROUP": GROUP,
    "EXPIRE_DAYS": "30",
    "NAME_PREFIX": "turbines-deploy",
    "EXECUTION_ROLE_ARN": "arn:aws:iam::123456789012:role/endpoint",
    "VARIANT_NAME": "primary",
    "INSTANCE_TYPE": "",
    "INSTANCE_COUNT": "",
    "VOLUME_KEY_ARN": "arn:aws:kms:eu-west-1:123456789012:key/k",
    "DATA_CAPTURE": "",
    "VPC_CONFIG": "",
}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield Account().make()


def created(account: Account, arn: str) -> float:
    return float(account.sagemaker.describe_model_package(ModelPackageName=arn)["CreationTime"].timestamp())


def prepare(account: Account, mode: str = "approved", *, execution: str = "run-1", **request: str) -> dict[str, Any]:
    package = request.get("model_package_arn")
    now = created(account, package) + DAY if package else 0.0
    return run(account, {"mode": mode, "execution": execution, "request": request}, now)


def run(account: Account, event: dict[str, Any], now: float) -> dict[str, Any]:
    clients = {"s3": account.s3, "sagemaker": account.sagemaker}
    return prepare_deployment.run(event, settings=account.settings, now=now, **clients)


def test_an_approved_version_becomes_model_configuration_and_names(account: Account) -> None:
    arn = account.register("v1")
    plan = prepare(account, model_package_arn=arn)
    name = plan["name"]
    assert plan["model"] == {
        "ModelName": name,
        "ExecutionRoleArn": SETTINGS.role_arn,
        "EnableNetworkIsolation": True,
        "PrimaryContainer": {"ModelPackageName": arn},
    }
    assert plan["config"] == {
        "EndpointConfigName": name,
        "KmsKeyId": SETTINGS.volume_key_arn,
        "ProductionVariants": [
            {
                "VariantName": "primary",
                "ModelName": name,
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 2,
                "InitialVariantWeight": 1,
            }
        ],
    }
    assert (plan["model_version"], plan["model_package_arn"]) == ("v1", arn)
    assert plan["manifest"] == manifest_uri("v1")


def test_the_same_event_gives_the_same_plan_and_changes_nothing(account: Account) -> None:
    arn = account.register("v1")
    before = account.manifest("v1")
    assert prepare(account, model_package_arn=arn) == prepare(account, model_package_arn=arn)
    assert account.manifest("v1") == before


def test_names_tell_content_and_execution_apart_and_are_legal(account: Account) -> None:
    account.set(name_prefix="a" * 40)
    arn = account.register("v1")
    first, again = (prepare(account, execution=name, model_package_arn=arn) for name in ("one", "two_three"))
    assert first["name"] != again["name"]
    assert first["live_prefix"] == again["live_prefix"]
    assert first["name"].startswith(first["live_prefix"])
    assert first["live_prefix"].startswith(first["own_prefix"])
    assert len(first["name"]) <= 63
    account.set(instance_count=3)
    assert prepare(account, model_package_arn=arn)["live_prefix"] != first["live_prefix"]


def test_the_environment_decides_about_instances_capture_and_network(account: Account) -> None:
    arn = account.register("v1")
    network, capture = {"Subnets": ["s"], "SecurityGroupIds": ["g"]}, {"EnableCapture": True}
    account.set(instance_type="ml.c5d.xlarge", instance_count=1, network=network, capture=capture)
    plan = prepare(account, model_package_arn=arn)
    (variant,) = plan["config"]["ProductionVariants"]
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.c5d.xlarge", 1)
    assert plan["config"]["DataCaptureConfig"] == capture
    assert plan["model"]["VpcConfig"] == network
    assert "KmsKeyId" not in plan["config"]  # the local disk is encrypted in hardware, a key would be refused


@pytest.mark.parametrize("status", ["PendingManualApproval", "Rejected"])
def test_what_nobody_approved_is_refused(account: Account, status: str) -> None:
    arn = account.register("v1", status=status)
    with pytest.raises(NotApprovedError, match=f"is {status}, not Approved"):
        prepare(account, model_package_arn=arn)


def test_an_approval_that_came_too_late_is_refused(account: Account) -> None:
    arn = account.register("v1")
    event = {"mode": "approved", "execution": "e", "request": {"model_package_arn": arn}}
    assert run(account, event, created(account, arn) + 29.9 * DAY)["model_version"] == "v1"
    with pytest.raises(ApprovalExpiredError, match="30.1 days ago, the limit is 30"):
        run(account, event, created(account, arn) + 30.1 * DAY)
    account.set(expire_days=None)
    assert run(account, event, created(account, arn) + 1000 * DAY)["model_version"] == "v1"


def test_an_older_version_waits_until_the_newer_one_is_rejected(account: Account) -> None:
    old, new = account.register("v1"), account.register("v2")
    account.register("v3", status="PendingManualApproval")
    assert prepare(account, model_package_arn=new)["model_version"] == "v2"
    with pytest.raises(SupersededError, match="reject it to go back"):
        prepare(account, model_package_arn=old)
    account.sagemaker.update_model_package(ModelPackageArn=new, ModelApprovalStatus="Rejected")
    assert prepare(account, model_package_arn=old)["model_version"] == "v1"


def test_versions_are_compared_as_numbers() -> None:
    base = "arn:aws:sagemaker:eu-west-1:1:model-package/g"
    assert number(f"{base}/10") > number(f"{base}/9") > number("arn:aws:sagemaker:eu-west-1:1:model-package/own") == 0


def test_a_changed_artifact_is_refused(account: Account) -> None:
    arn = account.register("v1")
    account.s3.put_object(Bucket=BUCKET, Key="models/v1/model.tar.gz", Body=b"other bytes")
    with pytest.raises(ArtifactChangedError, match="the manifest says"):
        prepare(account, model_package_arn=arn)


@pytest.mark.parametrize("changes", [{}, {"model_data_sha256": None}])
def test_a_lost_artifact_is_refused(account: Account, changes: dict[str, Any]) -> None:
    arn = account.register("v1", **changes)
    account.s3.delete_object(Bucket=BUCKET, Key="models/v1/model.tar.gz")
    with pytest.raises(ArtifactChangedError, match="there is no s3://registry/models/v1"):
        prepare(account, model_package_arn=arn)


def test_a_manifest_without_a_hash_gets_that_of_the_artifact(account: Account) -> None:
    arn = account.register("v1", model_data_sha256=None)
    assert prepare(account, model_package_arn=arn)["sha256"] == hashlib.sha256(ARTIFACT).hexdigest()


def test_the_approver_of_the_manifest_comes_before_that_of_the_package(account: Account) -> None:
    arn = account.register("v1", approver="the gate")
    assert prepare(account, model_package_arn=arn)["approver"] == "the gate"


def test_a_rebuild_needs_the_manifest_alone(account: Account) -> None:
    account.register("v1")
    account.sagemaker = None  # the model package may be gone
    for request in ({"version": "v1"}, {"manifest": manifest_uri("v1")}):
        plan = prepare(account, "rebuild", **request)
        assert plan["model"]["PrimaryContainer"] == {
            "Image": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/sklearn@sha256:abc",
            "ModelDataUrl": "s3://registry/models/v1/model.tar.gz",
            "Environment": {"SAGEMAKER_PROGRAM": "inference.py"},
        }
        assert plan["approver"] is None
        assert plan["sha256"] == hashlib.sha256(ARTIFACT).hexdigest()


def test_a_rebuild_takes_any_version_approved_or_not(account: Account) -> None:
    old = account.register("v1", status="Rejected")
    account.register("v2")
    assert prepare(account, "rebuild", model_package_arn=old)["model_version"] == "v1"


def test_a_version_is_found_among_those_that_begin_alike(account: Account) -> None:
    for version in ("v1", "v1-1", "v10"):
        account.register(version)
    assert prepare(account, "rebuild", version="v1")["model_version"] == "v1"


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"version": "v9"}, "version v9 has 0 manifests"),
        ({"version": "../secrets"}, "a version is letters"),
        ({"manifest": "s3://elsewhere/manifests/v1-e1.json"}, "must lie below s3://registry/manifests/"),
        ({"manifest": "s3://registry/models/v1/model.tar.gz"}, "must lie below s3://registry/manifests/"),
        ({"manifest": "s3://registry/manifests/v9-e1.json"}, "there is no s3://registry/manifests/v9-e1.json"),
        ({"manifest": "nowhere"}, "an s3:// URI is needed"),
        ({"manifest": "s3://registry/manifests/v1-e1.json", "version": "v2"}, "the manifest is of v1, not of v2"),
        ({}, "the request names no version"),
    ],
)
def test_a_request_that_names_no_version_of_this_registry_is_refused(
    account: Account, request_: dict[str, str], message: str
) -> None:
    account.register("v1")
    with pytest.raises(ManifestError, match=message):
        prepare(account, "rebuild", **request_)


def test_a_version_that_was_registered_twice_must_be_named_by_its_manifest(account: Account) -> None:
    account.register("v1", execution="e1")
    account.register("v1", execution="e2")
    with pytest.raises(ManifestError, match="version v1 has 2 manifests"):
        prepare(account, "rebuild", version="v1")
    assert prepare(account, "rebuild", manifest=manifest_uri("v1", "e2"))["model_version"] == "v1"


def test_a_manifest_of_another_version_is_refused(account: Account) -> None:
    arn = account.register("v1")
    account.write("v1", "e1", manifest("v1", "arn:aws:sagemaker:eu-west-1:1:model-package/turbines/7"))
    with pytest.raises(ManifestError, match="the manifest is of arn"):
        prepare(account, model_package_arn=arn)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "must be a JSON object"),
        ({"manifest_version": 2}, "manifest_version must be 1, got 2"),
        (manifest("v1", "arn", image=""), "image must be a text"),
        (manifest("v1", "arn", model_data=None), "model_data must be a text"),
        (manifest("v1", "arn", endpoint=None), "endpoint and environment must be objects"),
        (manifest("v1", "arn", endpoint={"instance_count": True}), "instance_count must be a whole number"),
        (manifest("v1", "arn", endpoint={"instance_count": 1}), "instance_type must be a text"),
    ],
)
def test_a_manifest_that_says_too_little_is_refused(account: Account, document: object, message: str) -> None:
    account.write("v1", "e1", document)
    with pytest.raises(ManifestError, match=message):
        prepare(account, "rebuild", manifest=manifest_uri("v1"))


def test_a_manifest_that_is_no_json_is_refused(account: Account) -> None:
    account.s3.put_object(Bucket=BUCKET, Key="manifests/v1-e1.json", Body=b"{")
    with pytest.raises(ManifestError, match="must be JSON"):
        prepare(account, "rebuild", manifest=manifest_uri("v1"))


def test_a_package_without_a_manifest_is_refused(account: Account) -> None:
    arn = account.sagemaker.create_model_package(ModelPackageGroupName=GROUP, ModelApprovalStatus="Approved")[
        "ModelPackageArn"
    ]
    for mode in ("approved", "rebuild"):
        with pytest.raises(ManifestError, match="names no manifest"):
            prepare(account, mode, model_package_arn=arn)


@pytest.mark.parametrize(
    ("code", "expected"), [("ValidationException", VersionMissingError), ("ThrottlingException", ClientError)]
)
def test_a_deleted_version_is_named_and_other_trouble_with_aws_is_left_to_the_retry(
    account: Account, code: str, expected: type[Exception]
) -> None:
    with Stubber(account.sagemaker) as stub:
        stub.add_client_error("describe_model_package", code, "said by AWS")
        with pytest.raises(expected, match="said by AWS"):
            run(account, {"mode": "approved", "execution": "e", "request": {"model_package_arn": "arn"}}, 0)


def test_the_environment_is_parsed_once_into_settings() -> None:
    assert Settings.parse(ENVIRONMENT) == SETTINGS
    given = {**ENVIRONMENT, "DATA_CAPTURE": '{"EnableCapture": true}', "INSTANCE_COUNT": "2", "EXPIRE_DAYS": ""}
    parsed = Settings.parse(given)
    assert (parsed.capture, parsed.instance_count, parsed.expire_days) == ({"EnableCapture": True}, 2, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [("REGISTRY_BUCKET", ""), ("EXPIRE_DAYS", "0"), ("INSTANCE_COUNT", "two"), ("DATA_CAPTURE", "["), ("GROUP", " ")],
)
def test_a_bad_variable_fails_with_its_name(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name} must be"):
        Settings.parse({**ENVIRONMENT, name: value})
