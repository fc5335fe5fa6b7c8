"""What the parts of the lake need of each other, as structural protocols."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import IConstruct


class ZoneParts(Protocol):
    """Where the tables of a zone live; `LakeZone` is such."""

    name: str
    bucket: s3.IBucket
    database: glue.CfnDatabase
    database_name: str
    encryption_key: kms.IKey


class GovernedTable(Protocol):
    """A table that Lake Formation governs."""

    name: str
    zone_name: str
    database_name: str
    bucket: s3.IBucket
    resource: glue.CfnTable


class Governance(Protocol):
    """Who sets Lake Formation's permissions; `LakeGovernance` is such."""

    def govern_zone(self, zone: str, database: glue.CfnDatabase, bucket: s3.IBucket) -> None:
        """Register a zone's bucket and tag its database."""
        ...

    def allow_zone(self, zone: str, grantee: iam.IGrantable, permissions: Sequence[str]) -> None:
        """Give a principal permissions on every table of a zone, present and future."""
        ...

    def allow_table(self, table: GovernedTable, grantee: iam.IGrantable, permissions: Sequence[str]) -> IConstruct:
        """Give a principal permissions on one table; return what sets them."""
        ...
