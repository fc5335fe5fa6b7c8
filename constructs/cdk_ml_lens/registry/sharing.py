"""What other accounts may do with a registry: read versions and artifacts, and make models of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from cdk_ml_lens.core.errors import Fault, Faults, PropError
from cdk_ml_lens.registry.reference import RegistryReference

_ACCOUNT = re.compile(r"\d{12}")


def check_accounts(accounts: Sequence[str]) -> None:
    """Raise a `PropError` when an account is not twelve digits, or is named twice."""
    faults = Faults("model registry")
    for account in accounts:
        good = cdk.Token.is_unresolved(account) or _ACCOUNT.fullmatch(account) is not None
        faults.unless(good, "shared_with", "name accounts by twelve digits", account)
    faults.unless(len(set(accounts)) == len(accounts), "shared_with", "name each account once", list(accounts))
    faults.raise_any()


def group_policy(registry: RegistryReference, accounts: Sequence[str]) -> dict[str, Any] | None:
    """Return the resource policy of the model package group, or None where it is shared with nobody.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-deploy-xaccount.html
    """
    if not accounts:
        return None
    principals = {"AWS": [f"arn:{cdk.Aws.PARTITION}:iam::{account}:root" for account in accounts]}
    packages = ("DescribeModelPackage", "ListModelPackages", "CreateModel")
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ReadGroup",
                "Effect": "Allow",
                "Principal": principals,
                "Action": ["sagemaker:DescribeModelPackageGroup"],
                "Resource": registry.group_arn,
            },
            {
                "Sid": "UseVersions",
                "Effect": "Allow",
                "Principal": principals,
                "Action": [f"sagemaker:{action}" for action in packages],
                "Resource": registry.packages_arn,
            },
        ],
    }


def share_objects(bucket: s3.IBucket, key: kms.IKey, accounts: Sequence[str]) -> None:
    """Let other accounts read objects and decrypt them through S3; their own policies still have to allow it.

    Raises
    ------
    PropError
        When the key is imported, so that its policy is somebody else's.
    """
    if not accounts:
        return
    principals: list[iam.IPrincipal] = [iam.AccountPrincipal(account) for account in accounts]
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            sid="SharedArtifacts",
            principals=principals,
            actions=["s3:GetObject"],
            resources=[bucket.arn_for_objects("*")],
        )
    )
    stack = cdk.Stack.of(bucket)
    result = key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="SharedArtifacts",
            principals=principals,
            actions=["kms:Decrypt"],
            resources=["*"],
            conditions={"StringEquals": {"kms:ViaService": f"s3.{stack.region}.{stack.url_suffix}"}},
        )
    )
    if not result.statement_added:
        raise PropError(Fault(prop="encryption_key", rule="be a key of this app to be shared", value=key.key_arn))
