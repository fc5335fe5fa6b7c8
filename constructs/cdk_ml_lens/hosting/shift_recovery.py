"""What lets a traffic shift survive its own end: the claim on the endpoint, and the rule that restores after a loss."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_ml_lens.core.machine import DefinedMachine
from cdk_ml_lens.core.nag import explain
from cdk_ml_lens.core.tables import short_lived

# Errors that no state can catch, such as States.DataLimitExceeded, and the time-out of the machine.
_LOST = [{"status": ["TIMED_OUT"]}, {"status": ["FAILED"], "error": [{"prefix": "States."}]}]
_RESTORE = json.dumps({"restore": True})

_TOLD = (
    "EventBridge tries to start the restore for 24 hours, and the loss itself has raised the machine's alarm before: "
    'who is told can start the machine with {"restore": true}, which is all that the event holds.'
)


def claim_table(scope: Construct, key: kms.IKey) -> dynamodb.Table:
    """Return the table that holds who shifts the endpoint's traffic, at which step, and the weights before."""
    table = dynamodb.Table(
        scope,
        "Claims",
        partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
        encryption_key=key,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    short_lived(table, "One claim per endpoint, worthless once its shift has ended; the history has the rest.")
    return table


def restore_after_loss(scope: Construct, machine: DefinedMachine) -> None:
    """Start ``{"restore": true}`` when an execution timed out, or ended by an error that no state can catch.

    Source: https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
    """
    role = iam.Role(scope, "RestoreRole", assumed_by=iam.ServicePrincipal("events.amazonaws.com"))
    machine.grant_start(role)
    rule = events.CfnRule(
        scope,
        "RestoreAfterLoss",
        event_pattern={
            "source": ["aws.states"],
            "detail-type": ["Step Functions Execution Status Change"],
            "detail": {
                "stateMachineArn": [machine.arn],
                "input": [{"anything-but": {"prefix": _RESTORE[:10]}}],  # a restore that fails starts no other
                "$or": _LOST,
            },
        },
        targets=[events.CfnRule.TargetProperty(id="Restore", arn=machine.arn, role_arn=role.role_arn, input=_RESTORE)],
    )
    rule.node.add_dependency(role)
    explain(rule, {"EventBusDLQ": _TOLD})
