"""Every stack and example under the packs of cdk-nag: nothing unacknowledged, reasons of substance, none too wide."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk_ml_lens import ScoringRule
from cdk_ml_lens.review.packs import PACKS, PACKS_OF
from tests.contract.packs_app import add_examples, found, stacks_app, verdicts

NAG = tuple(pack for pack in PACKS if pack != "MlLens")  # whose own verdicts its own tests hold
Reports = dict[str, Any]


@pytest.fixture(scope="module")
def without_model(tmp_path_factory: pytest.TempPathFactory) -> Reports:
    """Every stack as it is without context, and every example."""
    app = stacks_app(tmp_path_factory.mktemp("without"))
    add_examples(app)
    return verdicts(app, *NAG)


@pytest.fixture(scope="module")
def with_model(tmp_path_factory: pytest.TempPathFactory) -> Reports:
    """Every stack with what context can add: a model, another one beside it, and a lake."""
    folder = tmp_path_factory.mktemp("with")
    model = folder / "model.tar.gz"
    model.write_bytes(b"only the name and the hash matter at synth")
    given = {"model_artifact": str(model), "green_artifact": str(model), "lake": "true", "approval": "automatic"}
    return verdicts(stacks_app(folder / "cdk.out", **given), *NAG)


def acknowledged(reports: Reports) -> Iterator[dict[str, Any]]:
    for report in reports.values():
        yield from report["suppressedViolations"]


@pytest.mark.parametrize("pack", NAG)
def test_no_finding_is_left_in_any_stack_or_example(pack: str, without_model: Reports, with_model: Reports) -> None:
    assert found(without_model[pack]) == set()
    assert found(with_model[pack]) == set()


def words(entry: dict[str, Any]) -> int:
    """Return how long a reason must be: one wildcard needs less of it than a rule that is not followed."""
    if "IAM5[" in entry["ruleName"]:
        return 5
    return 8 if entry["ruleName"].startswith("AwsSolutions-") else 10


def test_every_acknowledgement_has_a_reason_of_substance(without_model: Reports, with_model: Reports) -> None:
    entries = [*acknowledged(without_model), *acknowledged(with_model)]
    assert len(entries) > 1000
    thin = {(entry["ruleName"], entry["reason"]) for entry in entries if len(entry["reason"].split()) < words(entry)}
    assert thin == set()


def test_every_acknowledgement_names_its_pack_and_its_finding(without_model: Reports) -> None:
    for entry in acknowledged(without_model):
        assert entry["acknowledgedId"].endswith(f"::{entry['ruleName']}"), entry["acknowledgedId"]


def test_nothing_is_acknowledged_for_a_whole_stack(without_model: Reports, with_model: Reports) -> None:
    for entry in [*acknowledged(without_model), *acknowledged(with_model)]:
        assert "/" in entry["acknowledgedAt"], entry["ruleName"]


def test_table_of_packs_and_rules_is_that_of_cdk_nag(without_model: Reports) -> None:
    seen: dict[str, set[str]] = {}
    for pack, report in without_model.items():
        for entry in report["suppressedViolations"]:
            seen.setdefault(entry["ruleName"].removeprefix(f"{pack}-"), set()).add(pack)
    explained = {rule: packs for rule, packs in seen.items() if packs - {"AwsSolutions"}}
    assert explained == {rule: set(packs) for rule, packs in PACKS_OF.items()}


def plant(scope: Construct) -> None:
    """Put careless resources below a construct."""
    s3.Bucket(scope, "CarelessBucket")
    sns.Topic(scope, "CarelessTopic")
    sqs.Queue(scope, "CarelessQueue")
    code, runtime = lambda_.Code.from_inline("def handler(event, context): pass"), lambda_.Runtime.PYTHON_3_9
    lambda_.Function(scope, "CarelessFunction", code=code, runtime=runtime, handler="index.handler")
    role = iam.Role(scope, "CarelessRole", assumed_by=iam.AccountRootPrincipal())
    role.add_to_policy(iam.PolicyStatement(actions=["s3:*"], resources=["*"]))
    dynamodb.Table(
        scope, "CarelessTable", partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
    )
    pattern = {"source": ["aws.s3"]}
    target = events.CfnRule.TargetProperty(id="Queue", arn="arn:aws:sqs:us-east-1:111122223333:queue")
    events.CfnRule(scope, "CarelessRule", event_pattern=pattern, targets=[target])


EXPECTED = {
    "AwsSolutions": {"S1 CarelessBucket", "SQS4 CarelessQueue", "SNS3 CarelessTopic", "L1 CarelessFunction"}
    | {"IAM5[Resource::*] CarelessRole", "IAM5[Action::s3:*] CarelessRole", "DDB3 CarelessTable"},
    "Serverless": {"LambdaDLQ CarelessFunction", "LambdaTracing CarelessFunction", "SQSRedrivePolicy CarelessQueue"}
    | {"EventBusDLQ CarelessRule"},
    "HIPAA.Security": {"LambdaInsideVPC CarelessFunction", "LambdaConcurrency CarelessFunction"}
    | {"LambdaDLQ CarelessFunction", "DynamoDBPITREnabled CarelessTable", "DynamoDBInBackupPlan CarelessTable"},
    "NIST.800.53.R5": {"LambdaInsideVPC CarelessFunction", "LambdaConcurrency CarelessFunction"}
    | {"LambdaDLQ CarelessFunction", "DynamoDBPITREnabled CarelessTable", "DynamoDBInBackupPlan CarelessTable"},
    "PCI.DSS.321": {"LambdaInsideVPC CarelessFunction"},
}
EVERYWHERE = {
    "IAMNoInlinePolicy CarelessRole",
    "SNSEncryptedKMS CarelessTopic",
    "S3BucketLoggingEnabled CarelessBucket",
}
EVERYWHERE |= {f"S3{rule} CarelessBucket" for rule in ("BucketReplicationEnabled", "DefaultEncryptionKMS")}


@pytest.fixture(scope="module")
def careless(tmp_path_factory: pytest.TempPathFactory) -> Reports:
    """An example with careless resources beside its constructs and below one of them."""
    from examples import actions

    app = cdk.App(outdir=str(tmp_path_factory.mktemp("careless")))
    stack = actions.build(app)
    plant(stack)
    rule = stack.node.find_child("Rule")
    assert isinstance(rule, ScoringRule)
    plant(rule)
    return verdicts(app, *NAG)


@pytest.mark.parametrize("place", ["Actions", "Actions/Rule"])
@pytest.mark.parametrize("pack", NAG)
def test_careless_resources_beside_and_below_our_constructs_are_found(pack: str, place: str, careless: Reports) -> None:
    wanted = EXPECTED[pack] | (EVERYWHERE if pack not in {"AwsSolutions", "Serverless"} else set())
    below = {(rule, path.removeprefix(f"{place}/").split("/")[0]) for rule, path in found(careless[pack])}
    assert {f"{rule} {name}" for rule, name in below} >= wanted


@pytest.mark.parametrize("pack", NAG)
def test_only_careless_resources_are_found(pack: str, careless: Reports) -> None:
    assert {path for _, path in found(careless[pack]) if "Careless" not in path} == set()


def test_packs_are_picked_by_context(tmp_path: Path) -> None:
    from tests.contract.test_templates import synth

    context = '{"stacks": "ModelHosting", "packs": "Serverless,HIPAA.Security"}'
    result = synth(tmp_path / "out", CDK_CONTEXT_JSON=context, CDK_VALIDATION="false")
    assert result.returncode == 0, result.stderr[-3000:]
    report = (tmp_path / "out" / "validation-report.json").read_text()
    assert "HIPAA.Security-LambdaInsideVPC" in report
    assert "AwsSolutions" not in report
