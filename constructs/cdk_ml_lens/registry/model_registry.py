"""ModelRegistry: versions of one model, with everything that is needed to rebuild an endpoint from any of them."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from cdk_ml_lens.core.access_logs import access_log_bucket
from cdk_ml_lens.core.event_rules import tell
from cdk_ml_lens.core.keys import key_or_new
from cdk_ml_lens.core.removal import removal_policy as resolve_removal_policy
from cdk_ml_lens.core.replication import Replication, unreplicated
from cdk_ml_lens.lake.zone_bucket import log_access, zone_bucket
from cdk_ml_lens.lake.zones import Lifecycle, ObjectLock, Zone
from cdk_ml_lens.registry.approval import ApprovalPolicy
from cdk_ml_lens.registry.reference import RegistryReference, check_group_name
from cdk_ml_lens.registry.sharing import check_accounts, group_policy, share_objects

_NONCURRENT_DAYS = 365


class ModelRegistry(Construct):
    """A model package group, and a versioned bucket for artifacts, evaluations and manifests.

    Parameters
    ----------
    scope, id
        As for every construct.
    group_name : str, optional
        Name of the model package group. Default: made from the construct's path.
    approval : ApprovalPolicy, optional
        How versions are approved. Default: by a person, within 30 days.
    shared_with : sequence of str
        Accounts that may read versions and make models of them. Default: none.
    object_lock : ObjectLock, optional
        No version of an object can be deleted before its time. Default: who is granted that may delete.
    replica : Replication, optional
        A copy of every object in another bucket. Default: none.
    encryption_key : IKey, optional
        Customer managed key of the bucket. Default: a new one.
    removal_policy : RemovalPolicy, optional
        Default: retain. ``DESTROY`` also takes the context flag ``cdk-ml-lens:removeDataOnDestroy``.

    Raises
    ------
    PropError
        When SageMaker AI would refuse the name, or an account is not twelve digits.

    Attributes
    ----------
    group : CfnModelPackageGroup
    bucket : Bucket
        ``manifests/``, ``evaluations/``, and whatever training puts there; it tells EventBridge of every object.
    encryption_key : IKey
    approval : ApprovalPolicy
    access_logs : Bucket

    Notes
    -----
    Lens best practices MLREL04-BP01, MLREL05-BP01, MLOPS04-BP02 (versions and lineage), MLSEC02-BP01.
    """

    shared = False

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        group_name: str | None = None,
        approval: ApprovalPolicy | None = None,
        shared_with: Sequence[str] = (),
        object_lock: ObjectLock | None = None,
        replica: Replication | None = None,
        encryption_key: kms.IKey | None = None,
        removal_policy: cdk.RemovalPolicy | None = None,
    ) -> None:
        check_group_name(group_name)
        check_accounts(shared_with)
        super().__init__(scope, id)
        policy = resolve_removal_policy(self, removal_policy)
        self.encryption_key = key_or_new(self, encryption_key, description="Encrypts model artifacts and manifests")
        aging = Lifecycle(tiering_days=None, noncurrent_days=_NONCURRENT_DAYS)
        zone = Zone(name="artifacts", lifecycle=aging, object_lock=object_lock, replication=replica)
        self.bucket = zone_bucket(self, zone, key=self.encryption_key, policy=policy)
        if replica is None:
            unreplicated(self.bucket, "ModelRegistry(replica=)")
        self.access_logs = access_log_bucket(self, policy=policy)
        log_access(self.bucket, self.access_logs, prefix="artifacts/")
        generated = cdk.Names.unique_resource_name(self, max_length=63, separator="-").lower()
        name = generated if group_name is None else group_name
        self._reference = RegistryReference(
            self, group_name=name, bucket=self.bucket, encryption_key=self.encryption_key, approval=approval
        )
        self.approval = self._reference.approval
        self.group = sagemaker.CfnModelPackageGroup(
            self,
            "Group",
            model_package_group_name=name,
            model_package_group_description="Model versions with manifests",
            model_package_group_policy=group_policy(self._reference, shared_with),
        )
        self.group.apply_removal_policy(policy)
        share_objects(self.bucket, self.encryption_key, shared_with)

    @staticmethod
    def from_names(
        scope: Construct,
        *,
        group_name: str,
        bucket: s3.IBucket,
        encryption_key: kms.IKey,
        account: str | None = None,
        approval: ApprovalPolicy | None = None,
    ) -> RegistryReference:
        """Refer to a registry of another stack, or of another account that shares it with this one.

        Parameters
        ----------
        scope, group_name, bucket, encryption_key
            Any construct of the stack; its model package group, bucket and key.
        account : str, optional
            Its account. Default: this one.
        approval : ApprovalPolicy, optional
            Its policy, for the age of a version. Default: as above.
        """
        return RegistryReference(
            scope,
            group_name=group_name,
            bucket=bucket,
            encryption_key=encryption_key,
            approval=approval,
            account=account,
        )

    @property
    def group_name(self) -> str:
        """Name of the model package group."""
        return self._reference.group_name

    @property
    def group_arn(self) -> str:
        """ARN of the model package group."""
        return self._reference.group_arn

    @property
    def packages_arn(self) -> str:
        """ARN of every version of the group, with ``*`` for the number."""
        return self._reference.packages_arn

    @property
    def approval_status(self) -> str:
        """Status that a new version is registered with: ``PendingManualApproval`` or ``Approved``."""
        return self._reference.approval_status

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to list and describe versions, and to read artifacts, evaluations and manifests."""
        return self._reference.grant_read(grantee)

    def grant_write(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to add artifacts and evaluations to the bucket, not to read them."""
        return self._reference.grant_write(grantee)

    def grant_register(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to create a version, to read all of them, and to write evaluations and manifests."""
        return self._reference.grant_register(grantee)

    def grant_approve(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to approve and reject versions."""
        return self._reference.grant_approve(grantee)

    def grant_artifacts(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to read artifacts and nothing about versions."""
        return self._reference.grant_artifacts(grantee)

    def grant_record(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to read and replace manifests."""
        return self._reference.grant_record(grantee)

    def on_version(self, id: str, target: events.IRuleTarget, *, status: Sequence[str] = ("Approved",)) -> events.Rule:
        """Send changes of versions to a target.

        Parameters
        ----------
        id : str
            Construct id.
        target : IRuleTarget
            Who gets them.
        status : sequence of str
            ``PendingManualApproval``, ``Approved``, ``Rejected``. Default: ``Approved``.
        """
        pattern = events.EventPattern(
            source=["aws.sagemaker"],
            detail_type=["SageMaker Model Package State Change"],
            detail={"ModelPackageGroupName": [self.group_name], "ModelApprovalStatus": list(status)},
        )
        return tell(self, id, pattern=pattern, target=target)
