"""What retraining's handler may do: read manifests, run two machines, tell the bus, ask for alarms."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.machine import DefinedMachine
from cdk_ml_lens.core.nag import acknowledge, finding_of
from cdk_ml_lens.training.dataset_source import DatasetSource


def read_manifests(role: iam.Role, datasets: DatasetSource) -> None:
    """Allow to read manifests, and to see that one is missing; the data stays closed."""
    bucket = datasets.bucket
    manifests = bucket.arn_for_objects(f"{datasets.prefix}/*/dataset.json")
    grants.allow(role, ["s3:GetObject"], [bucket.arn_for_objects(f"{datasets.prefix}/current.json"), manifests])
    acknowledge(role, f"IAM5[{finding_of(role, manifests)}]", "One manifest per version, named after it.")
    below = {"StringLike": {"s3:prefix": f"{datasets.prefix}/*"}}
    iam.Grant.add_to_principal(
        grantee=role, actions=["s3:ListBucket"], resource_arns=[bucket.bucket_arn], conditions=below
    )
    key = bucket.encryption_key if datasets.encryption_key is None else datasets.encryption_key
    grants.use_key(role, key, "kms:Decrypt")


def run_machines(role: iam.Role, machines: Sequence[DefinedMachine]) -> None:
    """Allow to start machines, and to look at their executions."""
    grants.allow(role, ["states:StartExecution"], [machine.arn for machine in machines])
    for machine in machines:
        executions = cdk.Stack.of(role).format_arn(
            service="states",
            resource="execution",
            resource_name=f"{machine.machine.attr_name}:*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        grants.allow(role, ["states:DescribeExecution"], [executions])
        acknowledge(role, f"IAM5[{finding_of(role, executions)}]", "Executions of this machine are named when started.")


def tell_and_ask(role: iam.Role, alarms: Sequence[cloudwatch.IAlarm]) -> None:
    """Allow to tell the bus what was done, and to ask whether alarms still stand.

    Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
    """
    bus = cdk.Stack.of(role).format_arn(service="events", resource="event-bus", resource_name="default")
    grants.allow(role, ["events:PutEvents"], [bus])
    if alarms:
        grants.allow(role, ["cloudwatch:DescribeAlarms"], [alarm.alarm_arn for alarm in alarms])
