"""PredictionLog: every result, through Amazon Data Firehose, into date-partitioned encrypted objects."""

from __future__ import annotations

import re

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.alarms import AlarmRule, add_alarm
from cdk_ml_lens.core.bucket import SecureBucket
from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.keys import key_or_new
from cdk_ml_lens.core.nag import acknowledge, finding_of

_PREFIX = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")
_DATE = "year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/"
FRESHNESS_ALARM = AlarmRule(
    metric="DeliveryToS3.DataFreshness",
    statistic="Maximum",
    threshold=900,
    periods=2,
    description="The oldest prediction waits over 15 minutes for S3: look at the stream's error log.",
)


class PredictionLog(Construct):
    """A Firehose stream that writes JSON lines to ``<prefix>/year=…/month=…/day=…/hour=…/``.

    Parameters
    ----------
    scope, id
        As for every construct.
    bucket : IBucket, optional
        Bucket of the objects. Default: a new `SecureBucket`.
    prefix : str
        First part of the key. Default: ``predictions``.
    buffer_seconds : int
        Longest wait before an object is written, in seconds, 0 to 900. Default: 60.
    encryption_key : IKey, optional
        Customer managed key of stream, objects and error log. Default: a new one.
    alarm_topic : ITopic, optional
        Who is told when predictions stop arriving. Default: nobody.

    Raises
    ------
    PropError
        When the prefix or the buffer is out of range.

    Notes
    -----
    Source: https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html. Lens best practice MLOPS06-BP02.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        bucket: s3.IBucket | None = None,
        prefix: str = "predictions",
        buffer_seconds: int = 60,
        encryption_key: kms.IKey | None = None,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        faults = Faults("prediction log")
        faults.unless(_PREFIX.fullmatch(prefix) is not None, "prefix", "be path levels of A-Z a-z 0-9 _ -", prefix)
        faults.within("buffer_seconds", buffer_seconds, 0, 900)
        faults.raise_any()
        super().__init__(scope, id)
        self._key = key_or_new(self, encryption_key, description="Encrypts predictions")
        self._alarm_topic = alarm_topic
        self.prefix = prefix
        self.bucket: s3.IBucket = (
            SecureBucket(self, "Bucket", encryption_key=self._key).bucket if bucket is None else bucket
        )
        self._role = self._delivery_role()
        self.stream = self._stream(buffer_seconds)
        self.alarm("FreshnessAlarm", FRESHNESS_ALARM)

    def grant_write(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow ``firehose:PutRecordBatch`` on this stream; Firehose uses the key by a grant of its own."""
        return grants.allow(grantee, ["firehose:PutRecordBatch"], [self.stream.attr_arn])

    def metric(self, name: str) -> cloudwatch.Metric:
        """Return one metric of the stream, in ``AWS/Firehose``."""
        return cloudwatch.Metric(
            namespace="AWS/Firehose", metric_name=name, dimensions_map={"DeliveryStreamName": self.stream.ref}
        )

    def alarm(self, id: str, rule: AlarmRule) -> cloudwatch.Alarm:
        """Make an alarm on a metric of the stream."""
        return add_alarm(self, id, metric=self.metric(rule.metric), rule=rule, topic=self._alarm_topic)

    def _delivery_role(self) -> iam.Role:
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("firehose.amazonaws.com"))
        objects = self.bucket.arn_for_objects("*")
        grants.allow(role, ["s3:GetBucketLocation", "s3:ListBucketMultipartUploads"], [self.bucket.bucket_arn])
        for prefix in (self.prefix, f"{self.prefix}-errors"):
            objects = self.bucket.arn_for_objects(f"{prefix}/*")
            grants.allow(role, ["s3:PutObject", "s3:AbortMultipartUpload"], [objects])
            acknowledge(role, f"IAM5[{finding_of(self, objects)}]", "Firehose names the objects below this prefix.")
        grants.use_key(role, self._key, "kms:GenerateDataKey", "kms:Decrypt")
        return role

    def _stream(self, buffer_seconds: int) -> firehose.CfnDeliveryStream:
        errors = logs.LogGroup(
            self,
            "Errors",
            encryption_key=self._key,
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        log_stream = logs.LogStream(self, "ErrorStream", log_group=errors, removal_policy=cdk.RemovalPolicy.RETAIN)
        errors.grant_write(self._role)
        kind = firehose.CfnDeliveryStream
        stream = kind(
            self,
            "Stream",
            delivery_stream_type="DirectPut",
            delivery_stream_encryption_configuration_input=kind.DeliveryStreamEncryptionConfigurationInputProperty(
                key_type="CUSTOMER_MANAGED_CMK", key_arn=self._key.key_arn
            ),
            extended_s3_destination_configuration=kind.ExtendedS3DestinationConfigurationProperty(
                bucket_arn=self.bucket.bucket_arn,
                role_arn=self._role.role_arn,
                prefix=f"{self.prefix}/{_DATE}",
                error_output_prefix=f"{self.prefix}-errors/!{{firehose:error-output-type}}/{_DATE}",
                file_extension=".jsonl.gz",
                compression_format="GZIP",
                buffering_hints=kind.BufferingHintsProperty(interval_in_seconds=buffer_seconds, size_in_m_bs=16),
                encryption_configuration=kind.EncryptionConfigurationProperty(
                    kms_encryption_config=kind.KMSEncryptionConfigProperty(awskms_key_arn=self._key.key_arn)
                ),
                cloud_watch_logging_options=kind.CloudWatchLoggingOptionsProperty(
                    enabled=True,
                    log_group_name=errors.log_group_name,
                    log_stream_name=log_stream.log_stream_name,
                ),
            ),
        )
        stream.node.add_dependency(self._role)
        return stream
