"""DataLake: zones with a bucket and a database each, one key, one place of access logs, and grants by zone."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_ml_lens.core.access_logs import access_log_bucket
from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.keys import key_or_new
from cdk_ml_lens.core.removal import removal_policy as resolve_removal_policy
from cdk_ml_lens.lake.audit import Audit, LakeAudit, leave_to_access_logs
from cdk_ml_lens.lake.classification import LakeClassification
from cdk_ml_lens.lake.key_policy import decrypt_objects_for
from cdk_ml_lens.lake.lake_formation import LakeFormation, LakeGovernance
from cdk_ml_lens.lake.lake_table import LakeTable
from cdk_ml_lens.lake.lake_zone import LakeZone
from cdk_ml_lens.lake.schema import Table
from cdk_ml_lens.lake.workgroup import LakeWorkgroup, QueryLimits
from cdk_ml_lens.lake.zone_bucket import log_access
from cdk_ml_lens.lake.zones import Zone


class DataLake(Construct):
    """An S3 data lake whose tables are catalogued by schema.

    Parameters
    ----------
    scope, id
        As for every construct.
    zones : sequence of Zone, optional
        Default: the Lens' raw, modelled, enhanced and transformed.
    encryption_key : IKey, optional
        Customer managed key of all data. Default: a new one.
    governance : LakeFormation, optional
        Lake Formation's permissions on top of IAM's. Default: IAM alone.
    audit : Audit, optional
        A trail of who read and wrote which object, and a search for personal data. Default: access logs only.
    queries : QueryLimits, optional
        What queries may cost. Default: 10 GiB each, 100 GiB an hour, results kept 30 days.
    alarm_topic : ITopic, optional
        Who hears alarms. Default: nobody.
    removal_policy : RemovalPolicy, optional
        Default: retain. ``DESTROY`` also takes the context flag ``cdk-ml-lens:removeDataOnDestroy``.

    Raises
    ------
    PropError
        When there is no zone, or two have the same name.

    Attributes
    ----------
    encryption_key : IKey
        Key of all data.
    access_logs : Bucket
        Who read what, below ``<zone>/``, 90 days.
    audit : LakeAudit or None
        The trail, where one was asked for.
    workgroup : LakeWorkgroup
        Where Athena queries the lake.

    Notes
    -----
    Lens best practices MLSEC02-BP01 (protect data), MLOPS03-BP01 (catalog), MLREL03-BP01 (schema).
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        zones: Sequence[Zone] | None = None,
        encryption_key: kms.IKey | None = None,
        governance: LakeFormation | None = None,
        audit: Audit | None = None,
        queries: QueryLimits | None = None,
        alarm_topic: sns.ITopic | None = None,
        removal_policy: cdk.RemovalPolicy | None = None,
    ) -> None:
        wanted = Zone.lens() if zones is None else zones
        _check(wanted)
        super().__init__(scope, id)
        policy = resolve_removal_policy(self, removal_policy)
        self.encryption_key = key_or_new(self, encryption_key, description="Encrypts the data lake")
        self.access_logs = access_log_bucket(self, policy=policy)
        self.governance = self._govern(governance, wanted)
        self._zones = {zone.name: self._zone(zone, policy) for zone in wanted}
        self.workgroup = LakeWorkgroup(
            self,
            "Queries",
            limits=QueryLimits() if queries is None else queries,
            encryption_key=self.encryption_key,
            removal_policy=policy,
            alarm_topic=alarm_topic,
        )
        log_access(self.workgroup.results, self.access_logs, prefix="query-results/")
        self.audit = self._watch(audit)
        self.classification = self._classify(audit)

    @property
    def zones(self) -> Sequence[LakeZone]:
        """The zones, in the order of preparation."""
        return tuple(self._zones.values())

    def zone(self, name: str) -> LakeZone:
        """Return a zone; raises `PropError` when there is none of that name."""
        faults = Faults("data lake")
        faults.unless(name in self._zones, "zone", f"be one of {tuple(self._zones)}", name)
        faults.raise_any()
        return self._zones[name]

    def add_table(self, table: Table, zone: str = "raw", *, bucket: s3.IBucket | None = None) -> LakeTable:
        """Add a table to a zone, over the zone's files or over those of another bucket.

        Raises
        ------
        PropError
            When there is no such zone, it has a table of that name, or the other bucket cannot be catalogued there.
        """
        return self.zone(zone).add_table(table, bucket=bucket)

    def grant_read(self, zone: str, grantee: iam.IGrantable) -> iam.Grant:
        """Allow reading one zone: its objects, its tables, the key. Other zones stay closed."""
        return self.zone(zone).grant_read(grantee)

    def grant_write(self, zone: str, grantee: iam.IGrantable) -> iam.Grant:
        """Allow adding objects to one zone."""
        return self.zone(zone).grant_write(grantee)

    def restrict_key(self, *roles: iam.IRole) -> None:
        """Let only ``roles`` decrypt objects, in the key's own policy; each still needs a grant.

        Name every role that reads or completes multipart uploads: jobs, delivery streams, replay, analysts. The lake's
        own roles are added. Call it once, last.

        Raises
        ------
        PropError
            When no role is named, or the key is imported.
        """
        own = [role.role_arn for zone in self.zones for role in zone.roles]
        if self.governance is not None:
            own.append(self.governance.role.role_arn)
        if self.classification is not None:
            own.append(self.classification.macie_arn)
        decrypt_objects_for(self.encryption_key, roles=roles, own=own)

    def _govern(self, settings: LakeFormation | None, zones: Sequence[Zone]) -> LakeGovernance | None:
        if settings is None:
            return None
        names = [zone.name for zone in zones]
        return LakeGovernance(self, "Governance", settings=settings, zones=names, encryption_key=self.encryption_key)

    def _classify(self, settings: Audit | None) -> LakeClassification | None:
        if settings is None or settings.classification is None:
            return None
        return LakeClassification(
            self,
            "Classification",
            settings=settings.classification,
            buckets=[zone.bucket for zone in self.zones],
            encryption_key=self.encryption_key,
        )

    def _watch(self, settings: Audit | None) -> LakeAudit | None:
        if settings is None or not settings.trail:
            leave_to_access_logs(zone.bucket for zone in self.zones)
            return None
        audit = LakeAudit(self, "Audit", settings=settings, buckets=[zone.bucket for zone in self.zones])
        log_access(audit.bucket, self.access_logs, prefix="audit/")
        return audit

    def _zone(self, zone: Zone, policy: cdk.RemovalPolicy) -> LakeZone:
        made = LakeZone(
            self,
            f"Zone-{zone.name}",
            zone=zone,
            encryption_key=self.encryption_key,
            removal_policy=policy,
            governance=self.governance,
        )
        log_access(made.data, self.access_logs, prefix=f"{zone.name}/")
        return made


def _check(zones: Sequence[Zone]) -> None:
    faults = Faults("data lake")
    names = [zone.name for zone in zones]
    faults.unless(len(names) > 0, "zones", "have at least one zone", names)
    faults.unless(len(set(names)) == len(names), "zones", "have names of their own", names)
    faults.raise_any()
