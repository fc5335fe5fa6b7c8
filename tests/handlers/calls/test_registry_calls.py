"""judge_candidate, register_candidate, prepare_deployment, record_deployment, verify_rollout: errors of each call."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from handlers import judge_candidate, prepare_deployment, record_deployment, register_candidate, verify_rollout
from handlers.register_candidate import RegistryClients
from ml_lens_runtime.manifest import ManifestError
from ml_lens_runtime.model_versions import SupersededError
from tests.calls.trouble import trouble
from tests.handlers import test_judge_candidate as judging
from tests.handlers import test_register_candidate as registering
from tests.handlers.calls.cases import BUSY, DONE, ONCE, REFUSED, Case, raised, troubles
from tests.handlers.calls.cases import account as mocked
from tests.handlers.registry_account import BUCKET, REGION, Account, manifest, manifest_uri
from tests.handlers.test_verify_rollout import event as rollout_event


@pytest.fixture
def s3() -> Iterator[Any]:
    with mocked("us-east-1"):
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="artifacts")
        yield client


@pytest.fixture
def registry() -> Iterator[Account]:
    with mocked(REGION):
        yield Account().make()


@pytest.mark.parametrize(("case", "kind"), troubles([Case(call="s3:GetObject"), Case(call="s3:PutObject")]))
def test_judging_raises_what_s3_refuses(case: Case, kind: str, s3: Any) -> None:
    body = json.dumps(judging.evaluation(judging.GOOD))
    s3.put_object(Bucket="artifacts", Key="evaluations/run-1/evaluation.json", Body=body)
    rules = judging.gate()
    case.meet(kind, lambda: raised(lambda: judge_candidate.run(judging.EVENT, gate=rules, s3=s3), ClientError))


NOTHING = "raised, nothing stays registered"
REGISTER = (
    Case(call="s3:GetObject", way="decision"),
    Case(call="s3:GetObject", way="evaluation", skip=1),
    Case(call="s3:GetObject", way="manifest", skip=2),
    Case(call="sagemaker:CreateModelPackage", busy=NOTHING, refused=NOTHING),
    Case(call="sagemaker:DescribeModelPackage", busy=NOTHING, refused=NOTHING),
    Case(call="s3:PutObject", busy=NOTHING, refused=NOTHING),
    Case(call="sagemaker:DescribeModelPackage", way="approve", skip=1, busy=NOTHING, refused=NOTHING),
    Case(call="sagemaker:UpdateModelPackage", busy=NOTHING, refused=NOTHING),
)


class Registration:
    """register_candidate on moto's S3 and SageMaker AI; the version is approved at once, which takes every call."""

    def __init__(self, s3: Any) -> None:
        self.sagemaker = boto3.client("sagemaker", region_name="us-east-1")
        self.sagemaker.create_model_package_group(ModelPackageGroupName="turbines", ModelPackageGroupDescription="d")
        self.s3 = s3
        self.account = registering.Account(s3=s3)
        self.account.write("evaluations/run-1/decision.json", registering.DECISION)
        self.account.write("evaluations/run-1/evaluation.json", registering.EVALUATION)

    def run(self) -> None:
        clients = RegistryClients(s3=self.s3, sagemaker=self.sagemaker)
        settings = replace(registering.SETTINGS, approval_status="Approved")
        register_candidate.run(registering.EVENT, settings=settings, clients=clients)

    def packages(self) -> list[str]:
        found = self.sagemaker.list_model_packages(ModelPackageGroupName="turbines")["ModelPackageSummaryList"]
        return [package["ModelApprovalStatus"] for package in found]


@pytest.fixture
def registration(s3: Any) -> Registration:
    return Registration(s3)


@pytest.mark.parametrize(("case", "kind"), troubles(REGISTER))
def test_registering_leaves_both_or_none(case: Case, kind: str, registration: Registration) -> None:
    def act() -> str:
        if raised(registration.run, ClientError) == DONE:
            assert registration.packages() == ["Approved"]
            return DONE
        assert (registration.packages(), registration.account.manifests()) == ([], [])
        return case.busy

    case.meet(kind, act)


LEFT = "first error raised, what stays is logged"
TAKE_BACK = (
    Case(call="s3:DeleteObject", busy=LEFT, refused=LEFT),
    Case(call="sagemaker:DeleteModelPackage", busy=LEFT, refused=LEFT),
)


@pytest.mark.parametrize(("case", "kind"), troubles(TAKE_BACK))
def test_what_cannot_be_taken_back_is_logged_and_the_first_error_counts(
    case: Case, kind: str, registration: Registration, caplog: pytest.LogCaptureFixture
) -> None:
    def act() -> str:
        refused = trouble("sagemaker", "UpdateModelPackage", "ValidationException", result="raised, taken back")
        with refused, pytest.raises(ClientError, match="ValidationException"):
            registration.run()
        if not registration.packages():
            return DONE
        assert "could not take back" in caplog.text
        return LEFT

    with caplog.at_level(logging.ERROR):
        case.meet(kind, act)


PREPARE = (
    Case(call="sagemaker:DescribeModelPackage", way="approved"),
    Case(call="sagemaker:ListModelPackages", way="approved"),
    Case(call="s3:GetObject", way="approved"),
    Case(call="s3:GetObject", way="approved", skip=1),
    Case(call="s3:ListObjectsV2", way="rebuild"),
)


@pytest.mark.parametrize(("case", "kind"), troubles(PREPARE))
def test_a_deployment_is_not_planned_from_half_an_answer(case: Case, kind: str, registry: Account) -> None:
    arn = registry.register("v1")
    request = {"model_package_arn": arn} if case.way == "approved" else {"version": "v1"}
    case.meet(kind, lambda: raised(lambda: planned(registry, request, mode=case.way), ClientError))


@pytest.mark.parametrize(("case", "kind"), troubles([Case(call="s3:GetObject"), Case(call="s3:PutObject")]))
def test_recording_a_deployment_raises_what_s3_refuses(case: Case, kind: str, registry: Account) -> None:
    registry.register("v1")
    event = {"manifest": manifest_uri("v1"), "approver": "anna"}
    case.meet(kind, lambda: raised(lambda: record_deployment.run(event, bucket=BUCKET, s3=registry.s3), ClientError))


FAILED = "FAILED is answered to CloudFormation"


@pytest.mark.parametrize("kind", [ONCE, BUSY, REFUSED])
def test_a_check_that_failed_itself_is_an_answer(kind: str) -> None:
    case = Case(call="sagemaker:DescribeEndpoint", busy=FAILED, refused=FAILED)
    with mocked(REGION):
        client = boto3.client("sagemaker", region_name=REGION)
        variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        client.create_model(ModelName="m", PrimaryContainer={"Image": "i"}, ExecutionRoleArn="arn:aws:iam::1:role/any")
        client.create_endpoint_config(EndpointConfigName="new", ProductionVariants=[variant])
        client.create_endpoint(EndpointName="e", EndpointConfigName="new")
        answers: list[dict[str, Any]] = []

        def act() -> str:
            verify_rollout.run(
                rollout_event(),
                sagemaker=client,
                respond=lambda url, body: answers.append(json.loads(body)),
                log_stream="stream",
            )
            return (
                DONE if answers[-1]["Status"] == "SUCCESS" else f"{answers[-1]['Status']} is answered to CloudFormation"
            )

        case.meet(kind, act)


def test_versions_and_manifests_of_several_pages_are_all_seen(
    registry: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """moto's pages of model packages have 100 entries, as on AWS; those of S3 are made small."""
    arns = [registry.register(f"v{number}") for number in range(101)]
    with pytest.raises(SupersededError, match=arns[-1]):
        planned(registry, {"model_package_arn": arns[0]})
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
    for number in range(5):
        registry.write("v1", f"other-{number}", manifest("v1", arns[1]))
    with pytest.raises(ManifestError, match="v1 has 6 manifests"):
        planned(registry, {"version": "v1"}, mode="rebuild")


def planned(registry: Account, request: dict[str, str], *, mode: str = "approved") -> dict[str, Any]:
    event = {"mode": mode, "execution": "run-1", "request": request}
    clients = {"s3": registry.s3, "sagemaker": registry.sagemaker}
    return prepare_deployment.run(event, settings=replace(registry.settings, expire_days=None), now=0.0, **clients)
