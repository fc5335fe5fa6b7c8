"""IAM of the lake: objects below a prefix, the catalog's entries that describe them, and the key.

Glue checks every call on a table against the table and its ancestors, the database and the catalog.
Source: https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.nag import acknowledge, finding_of

READ_CATALOG = ("GetDatabase", "GetTable", "GetPartition", "GetPartitions", "BatchGetPartition")
READ_SCHEMA = ("GetDatabase", "GetTable", "GetTableVersion", "GetTableVersions")
PUBLISH = ("GetDatabase", "GetTable", "UpdateTable")
_BELOW = "The grant is on every object below this prefix."


@dataclass(frozen=True, kw_only=True)
class Objects:
    """The objects of one bucket below some prefixes; the prefix ``""`` means all.

    Parameters
    ----------
    bucket : IBucket
        The bucket.
    key : IKey
        Key of its objects.
    prefixes : sequence of str
        Prefixes, each ending in ``/``, or ``""``.
    """

    bucket: s3.IBucket
    key: kms.IKey
    prefixes: Sequence[str]

    def grant_fetch(self, grantee: iam.IGrantable) -> iam.Grant:
        """GetObject, ListObjectsV2, and Decrypt: what a plain S3 client calls."""
        grants.use_key(grantee, self.key, "kms:Decrypt")
        self._grant_list(grantee)
        return self._grant(grantee, "s3:GetObject")

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """What `grant_fetch` allows, and GetBucketLocation, which Athena and Glue ask first."""
        self._grant_location(grantee)
        return self.grant_fetch(grantee)

    def grant_write(self, grantee: iam.IGrantable) -> iam.Grant:
        """PutObject and multipart uploads; the parts of one are decrypted when it is completed.

        Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuAndPermissions.html
        """
        grants.use_key(grantee, self.key, "kms:GenerateDataKey", "kms:Decrypt")
        grants.allow(grantee, ["s3:GetBucketLocation", "s3:ListBucketMultipartUploads"], [self.bucket.bucket_arn])
        return self._grant(grantee, "s3:PutObject", "s3:AbortMultipartUpload")

    def grant_replace(self, grantee: iam.IGrantable) -> iam.Grant:
        """Read, write and DeleteObject: what moves objects, or starts again after a failure."""
        grants.use_key(grantee, self.key, "kms:GenerateDataKey", "kms:Decrypt")
        self._grant_location(grantee)
        self._grant_list(grantee)
        actions = ("s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:DeleteObject")
        return self._grant(grantee, *actions)

    def _grant(self, grantee: iam.IGrantable, *actions: str) -> iam.Grant:
        resources = [self.bucket.arn_for_objects(f"{prefix}*") for prefix in self.prefixes]
        for resource in resources:
            acknowledge_wildcard(grantee, resource, _BELOW)
        return grants.allow(grantee, actions, resources)

    def _grant_location(self, grantee: iam.IGrantable) -> None:
        grants.allow(grantee, ["s3:GetBucketLocation"], [self.bucket.bucket_arn])

    def _grant_list(self, grantee: iam.IGrantable) -> None:
        below = {} if "" in self.prefixes else {"StringLike": {"s3:prefix": [f"{item}*" for item in self.prefixes]}}
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["s3:ListBucket"], resource_arns=[self.bucket.bucket_arn], conditions=below
        )


@dataclass(frozen=True, kw_only=True)
class CatalogEntry:
    """A database of the catalog, or one table of it.

    Parameters
    ----------
    scope : Construct
        Any construct of the stack that holds the database.
    database_name : str
        The database.
    table_name : str, optional
        The table. Default: every table of the database.
    """

    scope: Construct
    database_name: str
    table_name: str | None = None

    @property
    def arns(self) -> list[str]:
        """Return the entry and its ancestors: catalog, database, table."""
        table = "*" if self.table_name is None else self.table_name
        return [
            self._arn("catalog"),
            self._arn("database", self.database_name),
            self._arn("table", f"{self.database_name}/{table}"),
        ]

    def grant(self, grantee: iam.IGrantable, actions: Sequence[str]) -> iam.Grant:
        """Allow Glue's ``actions`` (without ``glue:``) on the entry and its ancestors."""
        if self.table_name is None:
            acknowledge_wildcard(grantee, self.arns[-1], "The grant is on every table of the zone.")
        return grants.allow(grantee, [f"glue:{action}" for action in actions], self.arns)

    def _arn(self, resource: str, name: str | None = None) -> str:
        return cdk.Stack.of(self.scope).format_arn(service="glue", resource=resource, resource_name=name)


def acknowledge_wildcard(grantee: iam.IGrantable, resource: str, reason: str) -> None:
    """Acknowledge the wildcard at the end of ``resource`` in the grantee's policy, if it is a construct."""
    principal = construct_of(grantee)
    if principal is not None:
        acknowledge(principal, f"IAM5[{finding_of(principal, resource)}]", reason)


def construct_of(grantee: iam.IGrantable) -> IConstruct | None:
    """Return the role or user behind ``grantee``; a service principal is no construct."""
    principal: object = grantee.grant_principal
    return cast(IConstruct, principal) if hasattr(principal, "node") else None
