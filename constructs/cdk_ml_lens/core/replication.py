"""Copies of a bucket's new objects in another bucket."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.nag import acknowledge, explain, finding_of

REPLICATION_ROLE = "ReplicationRole"


@dataclass(frozen=True, kw_only=True)
class Replication:
    """A copy of every new object in another bucket, usually of another region.

    Parameters
    ----------
    bucket : IBucket
        Where to; it must have versions. Its owner is this account.
    encryption_key : IKey
        Key of the copies, in the region of that bucket.

    Notes
    -----
    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html. Lens best
    practice MLREL05-BP02.
    """

    bucket: s3.IBucket
    encryption_key: kms.IKey


def replicate(scope: Construct, bucket: s3.Bucket, *, key: kms.IKey, to: Replication) -> None:
    """Copy new objects, encrypted anew; deletions are not copied.

    Parameters
    ----------
    scope : Construct
        Owner of the role.
    bucket : Bucket
        Where the objects are written; it has versions.
    key : IKey
        Its key.
    to : Replication
        Where the copies go.

    Notes
    -----
    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
    """
    role = iam.Role(scope, REPLICATION_ROLE, assumed_by=iam.ServicePrincipal("s3.amazonaws.com"))
    source, target = bucket.arn_for_objects("*"), to.bucket.arn_for_objects("*")
    grants.allow(role, ["s3:GetReplicationConfiguration", "s3:ListBucket"], [bucket.bucket_arn])
    versions = ("GetObjectVersionForReplication", "GetObjectVersionAcl", "GetObjectVersionTagging")
    grants.allow(role, [f"s3:{action}" for action in versions], [source])
    grants.allow(role, ["s3:ReplicateObject", "s3:ReplicateTags"], [target])
    grants.use_key(role, key, "kms:Decrypt")
    grants.use_key(role, to.encryption_key, "kms:Encrypt")
    for objects in (source, target):
        acknowledge(role, f"IAM5[{finding_of(role, objects)}]", "Replication copies every object of the bucket.")
    resource = bucket.node.default_child
    assert isinstance(resource, s3.CfnBucket)
    resource.replication_configuration = _configuration(role, to)


def unreplicated(bucket: s3.Bucket, prop: str) -> None:
    """Note why a bucket has no copy elsewhere.

    Parameters
    ----------
    bucket : Bucket
        The bucket.
    prop : str
        What gives it one, or why nothing does: part of a sentence.
    """
    reason = f"Versions and retention keep the objects; a copy elsewhere doubles the cost and is asked for by: {prop}."
    explain(bucket, {"S3BucketReplicationEnabled": reason})


def _configuration(role: iam.Role, to: Replication) -> s3.CfnBucket.ReplicationConfigurationProperty:
    kind = s3.CfnBucket
    encrypted = kind.SourceSelectionCriteriaProperty(
        sse_kms_encrypted_objects=kind.SseKmsEncryptedObjectsProperty(status="Enabled")
    )
    rule = kind.ReplicationRuleProperty(
        id="zone",
        status="Enabled",
        priority=0,
        filter=kind.ReplicationRuleFilterProperty(prefix=""),
        delete_marker_replication=kind.DeleteMarkerReplicationProperty(status="Disabled"),
        source_selection_criteria=encrypted,
        destination=kind.ReplicationDestinationProperty(
            bucket=to.bucket.bucket_arn,
            encryption_configuration=kind.EncryptionConfigurationProperty(replica_kms_key_id=to.encryption_key.key_arn),
        ),
    )
    return kind.ReplicationConfigurationProperty(role=role.role_arn, rules=[rule])
