"""LakeZone: one zone of a lake: its bucket, its database, its tables."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.replication import REPLICATION_ROLE
from cdk_ml_lens.lake.access import READ_CATALOG, READ_SCHEMA, CatalogEntry, Objects
from cdk_ml_lens.lake.lake_table import LakeTable
from cdk_ml_lens.lake.naming import query_name
from cdk_ml_lens.lake.refs import Governance
from cdk_ml_lens.lake.schema import Table
from cdk_ml_lens.lake.zone_bucket import zone_bucket
from cdk_ml_lens.lake.zones import Zone

_ZONE_CATALOG = (*READ_CATALOG, "GetTables")
_ZONE_SCHEMA = (*READ_SCHEMA, "GetTables")


class LakeZone(Construct):
    """A bucket and a database for data of the same state of preparation; `DataLake` makes them.

    Parameters
    ----------
    scope, id
        As for every construct.
    zone : Zone
        What it is.
    encryption_key : IKey
        Key of its objects.
    removal_policy : RemovalPolicy
        What becomes of the bucket with the stack; already decided.
    governance : Governance, optional
        Lake Formation, where it governs. Default: IAM alone.

    Attributes
    ----------
    name : str
        Name of the zone.
    bucket : IBucket
        Its objects.
    database : CfnDatabase
        Its database in the Glue catalog.
    database_name : str
        ``<stack>_<lake>_<zone>``, so that queries can name it without quotes.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        zone: Zone,
        encryption_key: kms.IKey,
        removal_policy: cdk.RemovalPolicy,
        governance: Governance | None = None,
    ) -> None:
        super().__init__(scope, id)
        self.name: str = zone.name
        self.encryption_key: kms.IKey = encryption_key
        self.data = zone_bucket(self, zone, key=encryption_key, policy=removal_policy)
        self.bucket: s3.IBucket = self.data
        self.database: glue.CfnDatabase = self._database(query_name(scope, zone.name), governed=governance is not None)
        self.database_name: str = self.database.ref
        self.tables: dict[str, LakeTable] = {}
        self._governance = governance
        if governance is not None:
            governance.govern_zone(zone.name, self.database, self.bucket)
        cdk.Tags.of(self).add("cdk-ml-lens:zone", zone.name)

    @property
    def roles(self) -> list[iam.Role]:
        """Roles of the zone itself: the one that replicates, if any."""
        found = self.node.try_find_child(REPLICATION_ROLE)
        return [found] if isinstance(found, iam.Role) else []

    def add_table(self, table: Table, *, bucket: s3.IBucket | None = None) -> LakeTable:
        """Add a table.

        Parameters
        ----------
        table : Table
            Its schema.
        bucket : IBucket, optional
            Bucket that holds its files below ``<name>/``, encrypted with a key. Default: the zone's own.

        Raises
        ------
        PropError
            When the zone has a table of that name, or the other bucket has no key, or Lake Formation governs.
        """
        faults = Faults(f"zone {self.name!r}")
        faults.unless(table.name not in self.tables, "table", "have a name of its own", table.name)
        if bucket is not None:
            faults.unless(bucket.encryption_key is not None, "bucket", "be encrypted with a KMS key", bucket.node.path)
            faults.unless(self._governance is None, "bucket", "be the zone's where Lake Formation governs", table.name)
        faults.raise_any()
        files = self if bucket is None else _Elsewhere(zone=self, bucket=bucket)
        made = LakeTable(self, f"Table-{table.name}", table=table, zone=files, governance=self._governance)
        self.tables[table.name] = made
        return made

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow reading every object and every table of the zone, and of no other."""
        if self._governance is not None:
            self._governance.allow_zone(self.name, grantee, ("SELECT", "DESCRIBE"))
        self._entry.grant(grantee, _ZONE_CATALOG)
        return self._objects.grant_read(grantee)

    def grant_write(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow adding objects to the zone and reading the schema of its tables; neither reading nor deleting."""
        if self._governance is not None:
            self._governance.allow_zone(self.name, grantee, ("INSERT", "DESCRIBE"))
        self._entry.grant(grantee, _ZONE_SCHEMA)
        return self._objects.grant_write(grantee)

    @property
    def _objects(self) -> Objects:
        return Objects(bucket=self.bucket, key=self.encryption_key, prefixes=("",))

    @property
    def _entry(self) -> CatalogEntry:
        return CatalogEntry(scope=self, database_name=self.database_name)

    def _database(self, name: str, *, governed: bool) -> glue.CfnDatabase:
        kind = glue.CfnDatabase
        return kind(
            self,
            "Database",
            catalog_id=cdk.Stack.of(self).account,
            database_input=kind.DatabaseInputProperty(
                name=name,
                description=f"Zone {self.name} of the data lake",
                location_uri=self.bucket.s3_url_for_object(),
                # without this every principal of the account with IAM permissions gets all permissions on new tables
                create_table_default_permissions=[] if governed else None,
            ),
        )


class _Elsewhere:
    """The zone's catalog over the files of another bucket."""

    def __init__(self, *, zone: LakeZone, bucket: s3.IBucket) -> None:
        assert bucket.encryption_key is not None  # checked by add_table
        self.name = zone.name
        self.bucket = bucket
        self.encryption_key = bucket.encryption_key
        self.database = zone.database
        self.database_name = zone.database_name
