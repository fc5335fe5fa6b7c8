"""What the state machine of a traffic shift may do, each action with the state that needs it."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.nag import acknowledge, explain_policy, finding_of
from cdk_ml_lens.core.refs import InvocableEndpoint
from cdk_ml_lens.hosting.reference import EndpointReference


def allow_claims(role: iam.Role, table: dynamodb.Table) -> None:
    """Read and change the claim; DynamoDB uses the table's key on the caller's behalf.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
    """
    grants.use_key(role, table.encryption_key, "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey")
    actions = ("GetItem", "PutItem", "UpdateItem")
    grants.allow(role, [f"dynamodb:{action}" for action in actions], [table.table_arn])


def allow_weights(scope: Construct, role: iam.Role, endpoint: InvocableEndpoint, *, asks: bool) -> None:
    """Read the endpoint and set its weights; invoke it when there is a synthetic test."""
    reference = EndpointReference(scope, endpoint.endpoint_name)
    actions = ("DescribeEndpoint", "UpdateEndpointWeightsAndCapacities")
    grants.allow(role, [f"sagemaker:{action}" for action in actions], [reference.endpoint_arn])
    if asks:
        endpoint.grant_invoke(role)


def allow_events(scope: Construct, role: iam.Role) -> None:
    """Announce decisions on the default bus."""
    bus = cdk.Stack.of(scope).format_arn(service="events", resource="event-bus", resource_name="default")
    grants.allow(role, ["events:PutEvents"], [bus])


def allow_holders(scope: Construct, role: iam.Role, machine_name: str) -> None:
    """See whether the execution that holds the claim still runs."""
    executions = cdk.Stack.of(scope).format_arn(
        service="states",
        resource="execution",
        resource_name=f"{machine_name}:*",
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )
    grants.allow(role, ["states:DescribeExecution"], [executions])
    acknowledge(role, f"IAM5[{finding_of(scope, executions)}]", "The executions of this very machine, by their names.")


def reading_policy(
    scope: Construct, role: iam.Role, *, alarms: Sequence[cloudwatch.IAlarm], metrics: bool
) -> iam.Policy | None:
    """Return the policy for alarms and metrics, or None where neither is read.

    DescribeAlarms shows composite alarms only to a caller that may describe all alarms; GetMetricData has no resource
    type. Sources: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html,
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
    """
    composite = any(isinstance(alarm, cloudwatch.CompositeAlarm) for alarm in alarms)
    arns = [alarm.alarm_arn for alarm in alarms]
    anything = (["cloudwatch:GetMetricData"] if metrics else []) + (["cloudwatch:DescribeAlarms"] if composite else [])
    statements = []
    if anything:
        statements.append(iam.PolicyStatement(actions=anything, resources=["*"]))
    if arns and not composite:
        statements.append(iam.PolicyStatement(actions=["cloudwatch:DescribeAlarms"], resources=arns))
    if not statements:
        return None
    policy = iam.Policy(scope, "Reading", statements=statements, roles=[role])
    explain_policy(policy)
    if anything:
        acknowledge(
            policy, "IAM5[Resource::*]", "Metrics have no resource type in IAM, composite alarms need all alarms."
        )
    return policy
