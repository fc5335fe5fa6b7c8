"""Customer managed KMS keys, and the services that may use them without a role of ours."""

from __future__ import annotations

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct


def data_key(scope: Construct, id: str, *, description: str) -> kms.Key:
    """Make the key of one construct: rotated yearly, always retained, usable by CloudWatch Logs and alarms.

    Parameters
    ----------
    scope : Construct
        Owner.
    id : str
        Construct id.
    description : str
        Shown in the KMS console.

    Notes
    -----
    The key outlives the stack (``RETAIN``): data encrypted with a deleted key is lost. Lens best practice MLSEC02-BP01.
    """
    key = kms.Key(
        scope,
        id,
        description=description,
        enable_key_rotation=True,
        removal_policy=RemovalPolicy.RETAIN,
    )
    allow_logs(scope, key)
    allow_alarms(scope, key)
    return key


def key_or_new(scope: Construct, key: kms.IKey | None, *, description: str) -> kms.IKey:
    """Return the caller's key, or a new one under ``scope`` with the id ``Key``."""
    return data_key(scope, "Key", description=description) if key is None else key


def allow_logs(scope: Construct, key: kms.IKey) -> None:
    """Let CloudWatch Logs encrypt this account's log groups of this region.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    """
    stack = Stack.of(scope)
    region, account, partition = stack.region, stack.account, stack.partition
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="CloudWatchLogs",
            principals=[iam.ServicePrincipal(f"logs.{region}.amazonaws.com")],
            actions=[
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey*",
                "kms:ReEncrypt*",
            ],
            resources=["*"],
            conditions={
                "ArnLike": {
                    "kms:EncryptionContext:aws:logs:arn": f"arn:{partition}:logs:{region}:{account}:log-group:*"
                }
            },
        )
    )


def allow_alarms(scope: Construct, key: kms.IKey) -> None:
    """Let CloudWatch alarms publish to topics that this key encrypts.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
    """
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="CloudWatchAlarms",
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            actions=["kms:Decrypt", "kms:GenerateDataKey*"],
            resources=["*"],
            conditions={"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}},
        )
    )
