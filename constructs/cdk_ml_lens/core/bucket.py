"""SecureBucket: one private, versioned, KMS-encrypted bucket with access logs beside it."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_ml_lens.core.access_logs import access_log_bucket
from cdk_ml_lens.core.nag import acknowledge
from cdk_ml_lens.core.removal import removal_policy as resolve_removal_policy
from cdk_ml_lens.core.replication import Replication, replicate, unreplicated

_LOG_PREFIX = "data/"


class SecureBucket(Construct):
    """A bucket for data: CMK, TLS only, no public access, versioned, server access logs kept 90 days.

    Parameters
    ----------
    scope, id
        As for every construct.
    encryption_key : IKey
        Customer managed key of the data.
    expire_days : int, optional
        Age at which current objects expire, in days. Default: they are kept.
    removal_policy : RemovalPolicy, optional
        Default: retain. ``DESTROY`` also takes the context flag ``cdk-ml-lens:removeDataOnDestroy``.
    replication : Replication, optional
        Copies elsewhere. Default: none.

    Notes
    -----
    Lens best practices MLSEC02-BP01 (encryption), MLSEC06-BP02 (record who reads) and MLOPS03-BP02 (versions).
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        encryption_key: kms.IKey,
        expire_days: int | None = None,
        removal_policy: cdk.RemovalPolicy | None = None,
        replication: Replication | None = None,
    ) -> None:
        super().__init__(scope, id)
        policy = resolve_removal_policy(self, removal_policy)
        self.access_logs = access_log_bucket(self, policy=policy)
        self.bucket = s3.Bucket(
            self,
            "Data",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=encryption_key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            versioned=True,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=policy,
            lifecycle_rules=[_lifecycle(expire_days)],
        )
        self._log_access()
        if replication is None:
            unreplicated(self.bucket, "SecureBucket(replication=), given as bucket= to what would make one itself")
        else:
            replicate(self, self.bucket, key=encryption_key, to=replication)

    def _log_access(self) -> None:
        """Deliver access logs by bucket policy; the L2 prop would use ACLs unless a feature flag is on.

        Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
        """
        data = self.bucket.node.default_child
        assert isinstance(data, s3.CfnBucket)
        data.logging_configuration = s3.CfnBucket.LoggingConfigurationProperty(
            destination_bucket_name=self.access_logs.bucket_name, log_file_prefix=_LOG_PREFIX
        )
        reason = "S3 access logs tell of every read and write; add the bucket to a trail where the account has none."
        acknowledge(self.bucket, "LK6", reason, pack="MlLens")
        self.access_logs.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ServerAccessLogs",
                principals=[iam.ServicePrincipal("logging.s3.amazonaws.com")],
                actions=["s3:PutObject"],
                resources=[self.access_logs.arn_for_objects(f"{_LOG_PREFIX}*")],
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(self).account}},
            )
        )


def _lifecycle(expire_days: int | None) -> s3.LifecycleRule:
    return s3.LifecycleRule(
        abort_incomplete_multipart_upload_after=cdk.Duration.days(7),
        noncurrent_version_expiration=cdk.Duration.days(90),
        expiration=None if expire_days is None else cdk.Duration.days(expire_days),
    )
