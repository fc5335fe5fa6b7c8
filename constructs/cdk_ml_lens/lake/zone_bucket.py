"""The bucket of a zone, rendered from its value, and other private buckets of a lake."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_ml_lens.core.replication import replicate, unreplicated
from cdk_ml_lens.lake.zones import Lifecycle, ObjectLock, Zone


def private_bucket(
    scope: Construct, id: str, *, key: kms.IKey, policy: cdk.RemovalPolicy, lifecycle: Lifecycle
) -> s3.Bucket:
    """Make a bucket with the lake's key, TLS only, without public access, with versions and a lifecycle."""
    return s3.Bucket(
        scope,
        id,
        encryption=s3.BucketEncryption.KMS,
        encryption_key=key,
        bucket_key_enabled=True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        enforce_ssl=True,
        versioned=True,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        removal_policy=policy,
        lifecycle_rules=[_aging(lifecycle)],
    )


def zone_bucket(scope: Construct, zone: Zone, *, key: kms.IKey, policy: cdk.RemovalPolicy) -> s3.Bucket:
    """Make the bucket of a zone; it tells EventBridge of every object."""
    bucket = private_bucket(scope, "Bucket", key=key, policy=policy, lifecycle=zone.lifecycle)
    kind, cfn = s3.CfnBucket, cfn_bucket(bucket)
    cfn.notification_configuration = kind.NotificationConfigurationProperty(
        event_bridge_configuration=kind.EventBridgeConfigurationProperty(event_bridge_enabled=True)
    )
    if zone.lifecycle.archive_days is not None:
        archive = kind.TieringProperty(access_tier="ARCHIVE_ACCESS", days=zone.lifecycle.archive_days)
        cfn.intelligent_tiering_configurations = [
            kind.IntelligentTieringConfigurationProperty(id="archive", status="Enabled", tierings=[archive])
        ]
    if zone.object_lock is not None:
        lock(bucket, zone.object_lock)
    if zone.replication is None:
        unreplicated(bucket, "Zone(replication=)")
    else:
        replicate(scope, bucket, key=key, to=zone.replication)
    return bucket


def lock(bucket: s3.Bucket, rule: ObjectLock) -> None:
    """Keep every version of every new object for the days of ``rule``."""
    kind, cfn = s3.CfnBucket, cfn_bucket(bucket)
    retention = kind.DefaultRetentionProperty(days=rule.days, mode=rule.mode)
    cfn.object_lock_enabled = True
    cfn.object_lock_configuration = kind.ObjectLockConfigurationProperty(
        object_lock_enabled="Enabled", rule=kind.ObjectLockRuleProperty(default_retention=retention)
    )


def log_access(bucket: s3.Bucket, logs: s3.Bucket, *, prefix: str) -> None:
    """Deliver a bucket's access logs by the log bucket's policy, not by ACLs.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
    """
    cfn_bucket(bucket).logging_configuration = s3.CfnBucket.LoggingConfigurationProperty(
        destination_bucket_name=logs.bucket_name, log_file_prefix=prefix
    )
    logs.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal("logging.s3.amazonaws.com")],
            actions=["s3:PutObject"],
            resources=[logs.arn_for_objects(f"{prefix}*")],
            conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(logs).account}},
        )
    )


def cfn_bucket(bucket: s3.Bucket) -> s3.CfnBucket:
    """Return the CloudFormation resource of a bucket."""
    resource = bucket.node.default_child
    assert isinstance(resource, s3.CfnBucket)
    return resource


def _aging(lifecycle: Lifecycle) -> s3.LifecycleRule:
    days = cdk.Duration.days
    tiering = [] if lifecycle.tiering_days is None else [_tiering(lifecycle.tiering_days)]
    return s3.LifecycleRule(
        abort_incomplete_multipart_upload_after=days(7),
        noncurrent_version_expiration=days(lifecycle.noncurrent_days),
        expiration=None if lifecycle.expire_days is None else days(lifecycle.expire_days),
        transitions=tiering,
    )


def _tiering(after_days: int) -> s3.Transition:
    return s3.Transition(
        storage_class=s3.StorageClass.INTELLIGENT_TIERING, transition_after=cdk.Duration.days(after_days)
    )
