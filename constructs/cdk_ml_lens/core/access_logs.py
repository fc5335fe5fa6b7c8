"""The bucket of access logs that stands beside buckets of data."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_ml_lens.core.nag import explain

LOG_DAYS = 90
_REASONS = {
    "S3BucketReplicationEnabled": f"Logs of who read which object, kept {LOG_DAYS} days: a trail (DataLake(audit=)) "
    "is the record that lasts. No prop replicates them.",
    "S3DefaultEncryptionKMS": "The service that delivers access logs cannot write with a KMS key; S3's own key "
    "encrypts them. See https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html",
}


def access_log_bucket(scope: Construct, *, policy: cdk.RemovalPolicy) -> s3.Bucket:
    """Make the bucket ``AccessLogs``: TLS only, with versions, everything gone after 90 days and some more.

    Parameters
    ----------
    scope : Construct
        Owner.
    policy : RemovalPolicy
        What happens to it when the stack goes.
    """
    bucket = s3.Bucket(
        scope,
        "AccessLogs",
        encryption=s3.BucketEncryption.S3_MANAGED,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        enforce_ssl=True,
        versioned=True,  # who may delete a log cannot make it unread
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        removal_policy=policy,
        lifecycle_rules=[
            s3.LifecycleRule(
                abort_incomplete_multipart_upload_after=cdk.Duration.days(7),
                expiration=cdk.Duration.days(LOG_DAYS),
                noncurrent_version_expiration=cdk.Duration.days(LOG_DAYS),
            )
        ],
    )
    explain(bucket, _REASONS)
    return bucket
