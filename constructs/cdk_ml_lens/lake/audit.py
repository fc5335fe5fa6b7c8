"""LakeAudit: every read and write of an object in a bucket of its own, where nobody can delete it before its time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.keys import data_key
from cdk_ml_lens.core.nag import acknowledge
from cdk_ml_lens.core.replication import unreplicated
from cdk_ml_lens.lake.classification import Classification
from cdk_ml_lens.lake.naming import query_name
from cdk_ml_lens.lake.zone_bucket import lock, private_bucket
from cdk_ml_lens.lake.zones import Lifecycle, ObjectLock

_A_YEAR = ObjectLock(days=365)


@dataclass(frozen=True, kw_only=True)
class Audit:
    """Who is watched, and for how long that is kept.

    Parameters
    ----------
    trail : bool
        Record S3 data events of the zones. An account may have a trail for that already; events are paid for in each.
        Default: true.
    reads : bool
        Record reads as well as writes. Default: true.
    lock : ObjectLock
        How long events cannot be deleted. Default: 365 days, by nobody but those with ``s3:BypassGovernanceRetention``.
    classification : Classification, optional
        Look for personal data with Amazon Macie. Default: no.

    Raises
    ------
    PropError
        When nothing is to be done.

    Notes
    -----
    Lens best practice MLSEC06-BP02.
    """

    trail: bool = True
    reads: bool = True
    lock: ObjectLock = _A_YEAR
    classification: Classification | None = None

    def __post_init__(self) -> None:
        faults = Faults("audit")
        something = self.trail or self.classification is not None
        faults.unless(something, "trail", "be true without a classification", self.trail, "leave the audit out")
        faults.raise_any()


class LakeAudit(Construct):
    """A CloudTrail trail of data events; `DataLake` makes it.

    Parameters
    ----------
    scope, id
        As for every construct.
    settings : Audit
        What is recorded.
    buckets : sequence of IBucket
        Whose objects are watched.

    Attributes
    ----------
    bucket : Bucket
        Where events lie; retained whatever the lake's removal policy is.
    trail_name : str
        Name of the trail: ``<stack>_<lake>_audit``.

    Notes
    -----
    Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
    """

    def __init__(self, scope: Construct, id: str, *, settings: Audit, buckets: Sequence[s3.IBucket]) -> None:
        _check_buckets(buckets)
        super().__init__(scope, id)
        stack = cdk.Stack.of(self)
        self.trail_name = query_name(scope, "audit")
        self._arn = stack.format_arn(service="cloudtrail", resource="trail", resource_name=self.trail_name)
        self.encryption_key = data_key(self, "Key", description="Encrypts the data lake's audit trail")
        self._allow_key()
        self.bucket = private_bucket(
            self, "Events", key=self.encryption_key, policy=cdk.RemovalPolicy.RETAIN, lifecycle=Lifecycle()
        )
        lock(self.bucket, settings.lock)
        unreplicated(self.bucket, "no prop, as nobody can delete them before the lock ends")
        self._allow_delivery()
        self.trail = self._trail(settings, buckets)

    def _trail(self, settings: Audit, buckets: Sequence[s3.IBucket]) -> cloudtrail.CfnTrail:
        kind = cloudtrail.CfnTrail
        select = kind.AdvancedFieldSelectorProperty
        fields = [
            select(field="eventCategory", equal_to=["Data"]),
            select(field="resources.type", equal_to=["AWS::S3::Object"]),
            select(field="resources.ARN", starts_with=[f"{bucket.bucket_arn}/" for bucket in buckets]),
        ]
        if not settings.reads:
            fields.append(select(field="readOnly", equal_to=["false"]))
        trail = kind(
            self,
            "Trail",
            is_logging=True,
            trail_name=self.trail_name,
            s3_bucket_name=self.bucket.bucket_name,
            kms_key_id=self.encryption_key.key_arn,
            enable_log_file_validation=True,
            include_global_service_events=False,
            is_multi_region_trail=False,
            advanced_event_selectors=[kind.AdvancedEventSelectorProperty(name="Zones", field_selectors=fields)],
        )
        assert self.bucket.policy is not None  # TLS only, so there is one
        trail.node.add_dependency(self.bucket.policy)
        return trail

    def _allow_delivery(self) -> None:
        """Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html."""
        account = cdk.Stack.of(self).account
        ours = {"aws:SourceArn": self._arn}
        owned = {**ours, "s3:x-amz-acl": "bucket-owner-full-control"}
        objects = self.bucket.arn_for_objects(f"AWSLogs/{account}/*")
        for action, resource, conditions in (
            ("s3:GetBucketAcl", self.bucket.bucket_arn, ours),
            ("s3:PutObject", objects, owned),
        ):
            self.bucket.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[iam.ServicePrincipal("cloudtrail.amazonaws.com")],
                    actions=[action],
                    resources=[resource],
                    conditions={"StringEquals": conditions},
                )
            )

    def _allow_key(self) -> None:
        """CloudTrail decrypts too, since the bucket has an S3 bucket key.

        Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html
        """
        self.encryption_key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="CloudTrail",
                principals=[iam.ServicePrincipal("cloudtrail.amazonaws.com")],
                actions=["kms:GenerateDataKey*", "kms:Decrypt", "kms:DescribeKey"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceArn": self._arn}},
            )
        )


def leave_to_access_logs(buckets: Iterable[s3.IBucket]) -> None:
    """Acknowledge that no trail of the lake's own watches the buckets."""
    reason = "S3 access logs tell of every read and write; audit=Audit() adds a trail where the account has none."
    for bucket in buckets:
        acknowledge(bucket, "LK6", reason, pack="MlLens")


def _check_buckets(buckets: Sequence[s3.IBucket]) -> None:
    """Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html."""
    faults = Faults("lake audit")
    different = len({id(bucket) for bucket in buckets})
    faults.unless(0 < different == len(buckets), "buckets", "be one or more, each listed once", list(buckets))
    faults.raise_any()
