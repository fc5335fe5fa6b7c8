"""Grants on prefixes, each with the reason why objects below it have no fixed names."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.machine import DefinedMachine
from cdk_ml_lens.core.nag import acknowledge, finding_of

WRITE = ("s3:PutObject", "s3:AbortMultipartUpload")
VOLUMES = ("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey")
"""CreateGrant is for the volumes of instances: sagemaker-roles.html, "KMS key permissions"."""


def allow_objects(
    grantee: iam.IGrantable, bucket: s3.IBucket, prefix: str, actions: Sequence[str], *, reason: str
) -> iam.Grant:
    """Allow actions on the objects below a prefix."""
    objects = bucket.arn_for_objects(f"{prefix.strip('/')}/*")
    if isinstance(grantee, Construct):
        acknowledge(grantee, f"IAM5[{finding_of(grantee, objects)}]", reason)
    return grants.allow(grantee, actions, [objects])


def allow_list(role: iam.Role, bucket: s3.IBucket) -> None:
    """Allow to list a bucket: SageMaker AI lists the objects of an input."""
    grants.allow(role, ["s3:ListBucket"], [bucket.bucket_arn])


def use_bucket_key(role: iam.Role, bucket: s3.IBucket, *actions: str) -> None:
    """Allow the use of a bucket's customer managed key, if it has one."""
    grants.use_key(role, bucket.encryption_key, *actions)


def put_metrics(role: iam.Role, namespace: str) -> None:
    """Allow to publish metrics of one namespace; PutMetricData has no resource type, and `*` is explained already."""
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["cloudwatch:PutMetricData"],
            resources=["*"],
            conditions={"StringEquals": {"cloudwatch:namespace": namespace}},
        )
    )


def start_role(scope: Construct, id: str, service: str, machine: DefinedMachine) -> iam.Role:
    """Make the role by which a service of this account starts a machine."""
    trusted = {"StringEquals": {"aws:SourceAccount": cdk.Stack.of(scope).account}}
    role = iam.Role(scope, id, assumed_by=iam.ServicePrincipal(service, conditions=trusted))
    machine.grant_start(role)
    return role
