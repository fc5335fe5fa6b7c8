"""LakeTable: a table of the lake, catalogued by its typed schema, with grants on its files and its entry."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct

from cdk_ml_lens.lake.access import PUBLISH, READ_CATALOG, READ_SCHEMA, CatalogEntry, Objects
from cdk_ml_lens.lake.catalog_table import NOTHING_PUBLISHED, catalog_table
from cdk_ml_lens.lake.refs import Governance, ZoneParts
from cdk_ml_lens.lake.schema import Column, Table

QUARANTINE = "_quarantine/"


class LakeTable(Construct):
    """One table of a zone; `DataLake.add_table` makes it.

    Parameters
    ----------
    scope, id
        As for every construct.
    table : Table
        Its schema.
    zone : ZoneParts
        Bucket, database and key of the zone.
    governance : Governance, optional
        Lake Formation, where it governs. Default: IAM alone.

    Attributes
    ----------
    name, zone_name, database_name : str
        Name of the table, of its zone, and of the zone's database in the catalog.
    bucket : IBucket
        Bucket of the zone.
    prefix : str
        ``<name>/``.
    quarantine_prefix : str
        ``_quarantine/<name>/``, for what does not belong into the table.
    location : str
        ``s3://<bucket>/<name>/``.
    arn : str
        ARN of the catalog's entry.
    columns : tuple of Column
        Columns, partitions excepted.
    encryption_key : IKey
        Key of the files.
    permissions : list of IConstruct
        Those of Lake Formation so far, for what reads the table while it is made.
    """

    def __init__(
        self, scope: Construct, id: str, *, table: Table, zone: ZoneParts, governance: Governance | None = None
    ) -> None:
        super().__init__(scope, id)
        self.table = table
        self.name: str = table.name
        self.zone_name: str = zone.name
        self.columns: Sequence[Column] = tuple(table.columns)
        self.bucket: s3.IBucket = zone.bucket
        self.encryption_key: kms.IKey = zone.encryption_key
        self.database_name: str = zone.database_name
        self.prefix = f"{table.name}/"
        self.quarantine_prefix = f"{QUARANTINE}{table.name}/"
        self.location = zone.bucket.s3_url_for_object(self.prefix)
        self.resource: glue.CfnTable = catalog_table(self, table, database=zone.database, location=self.location)
        self._entry = CatalogEntry(scope=self, database_name=self.database_name, table_name=self.name)
        self.arn = self._entry.arns[-1]
        self.permissions: list[IConstruct] = []
        self._governance = governance

    @property
    def first_location(self) -> str:
        """Where the catalog points before anything is published."""
        return f"{self.location}{NOTHING_PUBLISHED}" if self.table.versioned else self.location

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow reading the table's files and its entry in the catalog.

        S3 ``GetObject`` and ``ListBucket`` below the prefix, KMS ``Decrypt``, Glue ``Get…`` on this table.
        """
        self._govern(grantee, "SELECT", "DESCRIBE")
        self._entry.grant(grantee, READ_CATALOG)
        return self._objects(self.prefix).grant_read(grantee)

    def grant_write(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow adding files below the table's prefix, and reading its schema.

        Firehose needs just that to convert records. An Iceberg table changes its files and its entry with every
        write, so there it is `grant_publish`.

        Source: https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html
        """
        if self.table.format == "iceberg":
            return self.grant_publish(grantee)
        self._govern(grantee, "INSERT", "DESCRIBE")
        self._entry.grant(grantee, READ_SCHEMA)
        return self._objects(self.prefix).grant_write(grantee)

    def grant_publish(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow replacing the table: its files, its quarantine, and where the catalog points.

        S3 read, write, delete and list below ``<name>/`` and ``_quarantine/<name>/``; ``glue:UpdateTable`` on this
        table, which Glue checks on its database and the catalog as well.
        """
        self._govern(grantee, "SELECT", "INSERT", "DELETE", "ALTER", "DESCRIBE")
        self._entry.grant(grantee, PUBLISH)
        return self._objects(self.prefix, self.quarantine_prefix).grant_replace(grantee)

    def _objects(self, *prefixes: str) -> Objects:
        return Objects(bucket=self.bucket, key=self.encryption_key, prefixes=prefixes)

    def _govern(self, grantee: iam.IGrantable, *permissions: str) -> None:
        if self._governance is not None:
            self.permissions.append(self._governance.allow_table(self, grantee, permissions))
