"""OnlineStore and OfflineStore of a feature group, and the role by which Feature Store writes the latter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.nag import acknowledge, finding_of

_CATALOG_DATABASE = "sagemaker_featurestore"  # where Feature Store catalogues offline stores


@dataclass(frozen=True, kw_only=True)
class OnlineStore:
    """The newest record of each device, for reads in milliseconds.

    Parameters
    ----------
    expire_days : int, optional
        Records older than this are deleted. Default: they stay.

    Raises
    ------
    PropError
        When the age is out of range.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/feature-store-time-to-live.html
    """

    expire_days: int | None = None

    def __post_init__(self) -> None:
        faults = Faults("online store")
        faults.unless(self.expire_days is None or self.expire_days >= 1, "expire_days", "be positive", self.expire_days)
        faults.raise_any()

    def render(self, key: kms.IKey) -> dict[str, Any]:
        """Return CloudFormation's form; the L1's typed one would keep its lower-case names in the template."""
        days = self.expire_days
        expiry = {} if days is None else {"TtlDuration": {"Unit": "Days", "Value": days}}
        return {"EnableOnlineStore": True, "SecurityConfig": {"KmsKeyId": key.key_arn}, **expiry}


@dataclass(frozen=True, kw_only=True)
class OfflineStore:
    """All records in S3, catalogued in Glue, for training.

    Parameters
    ----------
    bucket : IBucket
        A zone's bucket, or another with a customer managed key.
    prefix : str
        First part of the keys. Default: ``_feature_store``.
    format : {"Iceberg", "Glue"}
        Default: ``Iceberg``, whose small files are compacted.

    Raises
    ------
    PropError
        When the prefix is empty or the format unknown.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_OfflineStoreConfig.html
    """

    bucket: s3.IBucket
    prefix: str = "_feature_store"
    format: Literal["Iceberg", "Glue"] = "Iceberg"

    def __post_init__(self) -> None:
        faults = Faults("offline store")
        clean = self.prefix != "" and not self.prefix.startswith("/") and not self.prefix.endswith("/")
        faults.unless(clean, "prefix", "be path levels without / at the ends", self.prefix)
        faults.unless(self.format in ("Iceberg", "Glue"), "format", "be Iceberg or Glue", self.format)
        faults.raise_any()

    def render(self, key: kms.IKey) -> dict[str, Any]:
        """Return CloudFormation's form; the L1's typed one would keep its lower-case names in the template."""
        uri = self.bucket.s3_url_for_object(self.prefix)
        return {"S3StorageConfig": {"S3Uri": uri, "KmsKeyId": key.key_arn}, "TableFormat": self.format}


def store_role(scope: Construct, offline: OfflineStore, key: kms.IKey) -> iam.Role:
    """Make the role that writes the offline store.

    Parameters
    ----------
    scope : Construct
        Owner.
    offline : OfflineStore
        Where it writes.
    key : IKey
        Key of the objects.

    Notes
    -----
    It is the managed policy AmazonSageMakerFeatureStoreAccess, narrowed to one prefix. Source:
    https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSageMakerFeatureStoreAccess.html
    """
    stack = cdk.Stack.of(scope)
    trusted = {"StringEquals": {"aws:SourceAccount": stack.account}}
    role = iam.Role(scope, "Role", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com", conditions=trusted))
    objects = offline.bucket.arn_for_objects(f"{offline.prefix}/*")
    grants.allow(role, ["s3:GetObject", "s3:PutObject", "s3:PutObjectAcl"], [objects])
    acknowledge(role, f"IAM5[{finding_of(scope, objects)}]", "Feature Store names the objects below the prefix.")
    grants.allow(role, ["s3:GetBucketAcl"], [offline.bucket.bucket_arn])
    tables = stack.format_arn(service="glue", resource="table", resource_name=f"{_CATALOG_DATABASE}/*")
    database = stack.format_arn(service="glue", resource="database", resource_name=_CATALOG_DATABASE)
    catalog = stack.format_arn(service="glue", resource="catalog")
    grants.allow(role, ["glue:GetTable", "glue:UpdateTable"], [catalog, database, tables])
    acknowledge(role, f"IAM5[{finding_of(scope, tables)}]", "Feature Store names the table of the offline store.")
    grants.use_key(role, key, "kms:Decrypt", "kms:GenerateDataKey")
    return role
