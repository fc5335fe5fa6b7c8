"""Each prop that a reason names closes the finding itself, seen without any acknowledgement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_backup as backup
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_

from cdk_ml_lens import (
    DeadLetterStore,
    NotifyTopic,
    PropError,
    harden,
)
from cdk_ml_lens.core.function import HandlerFunction
from cdk_ml_lens.iot.ledger import Ledger
from tests.unit.review.hardened import CASES, Case, handler, network
from tests.unit.templates import Template


def raw_findings(app: cdk.App) -> set[tuple[str, str]]:
    """Return rule and construct of everything that NIST's rules and those for serverless find, acknowledged or not."""
    from cdk_nag import NIST80053R5Checks, ServerlessChecks

    reports = [pack(app).validate_scope(app) for pack in (NIST80053R5Checks, ServerlessChecks)]
    return {
        (violation.rule_name.partition("-")[2], str(resource.construct_path))
        for report in reports
        for violation in report.violations
        for resource in violation.violating_resources
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule} {case.prop}")
def test_prop_closes_the_finding_itself(case: Case) -> None:
    left = []
    for hard in (False, True):
        app = cdk.App()
        case.build(cdk.Stack(app, "Stack"), hard)
        found = raw_findings(app)
        left.append([path for rule, path in found if rule == case.rule and path.startswith(f"Stack/{case.place}")])
    bare, hardened = left
    assert bare != []
    assert hardened == []


def test_hardened_stack_synthesizes_and_is_clean(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    handler(stack)
    DeadLetterStore(stack, "Store", encryption_key=kms.Key(stack, "StoreKey", enable_key_rotation=True))
    Ledger(stack, "Ledger", encryption_key=kms.Key(stack, "LedgerKey", enable_key_rotation=True))
    harden(
        stack,
        network=network(stack),
        reserved_concurrency=5,
        point_in_time_recovery=True,
        backup_plan=backup.BackupPlan.daily35_day_retention(stack, "Plan"),
        alarm_topic=NotifyTopic(stack, "Topic").topic,
    )
    assert nag(stack) == []


def test_hardened_function_waits_for_the_rights_to_its_network(
    stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]
) -> None:
    made = handler(stack)
    harden(stack, network=network(stack))
    template = synth(stack)
    function = template.resources[stack.resolve(cfn_function(made).logical_id)]
    policies = [
        name
        for name, resource in template.resources.items()
        if resource["Type"] == "AWS::IAM::Policy" and "ec2:CreateNetworkInterface" in str(resource["Properties"])
    ]
    (before,) = set(policies) & set(function["DependsOn"])
    statements = template.resources[before]["Properties"]["PolicyDocument"]["Statement"]
    assert {statement["Effect"] for statement in statements} == {"Allow"}
    assert len(policies) == 2  # the other denies the same to the function's own code


def cfn_function(made: HandlerFunction) -> lambda_.CfnFunction:
    resource = made.function.node.default_child
    assert isinstance(resource, lambda_.CfnFunction)
    return resource


def test_own_numbers_and_tables_of_others_are_kept_and_reached(
    stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]
) -> None:
    handler(stack, reserved_concurrency=2)
    dynamodb.Table(stack, "Theirs", partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING))
    harden(stack, reserved_concurrency=5, point_in_time_recovery=True)
    template = synth(stack)
    assert template.only("AWS::Lambda::Function")["ReservedConcurrentExecutions"] == 2
    recovery = template.only("AWS::DynamoDB::Table")["PointInTimeRecoverySpecification"]
    assert recovery == {"PointInTimeRecoveryEnabled": True}


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({}, "props must ask for something for harden"),
        ({"reserved_concurrency": 0}, "reserved_concurrency must be at least 1 for harden, got 0"),
    ],
)
def test_harden_fails_for_nothing_and_for_no_copies(given: dict[str, Any], error: str, stack: cdk.Stack) -> None:
    with pytest.raises(PropError, match=error):
        harden(stack, **given)
