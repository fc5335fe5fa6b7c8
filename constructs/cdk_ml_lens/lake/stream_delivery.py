"""The Firehose stream of a StreamIngest: transform, partition by date and device, convert to Parquet, back up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.nag import acknowledge
from cdk_ml_lens.lake.access import Objects
from cdk_ml_lens.lake.lake_table import LakeTable
from cdk_ml_lens.lake.stream_parts import BUFFER_MIB, conversion, encryption, processing
from cdk_ml_lens.lake.stream_values import SourceBackup

_DATE = "date=!{partitionKeyFromLambda:date}/device_id=!{partitionKeyFromLambda:device_id}/"
_ERRORS = "date=!{timestamp:yyyy-MM-dd}/!{firehose:error-output-type}/"
_RETRY_SECONDS = 300
_PARTS = firehose.CfnDeliveryStream


@dataclass(frozen=True, kw_only=True)
class Backup:
    """Bucket and key prefix of the original records, and how they are buffered."""

    bucket: s3.IBucket
    prefix: str
    options: SourceBackup


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """Where rows and refused records go, who transforms, and how long a row may wait, in seconds."""

    table: LakeTable
    errors: LakeTable
    transform: lambda_.IFunction
    buffer_seconds: int

    @property
    def key(self) -> kms.IKey:
        """Key of everything that is written."""
        return self.table.encryption_key


class DeliveryStream(Construct):
    """One Firehose stream with its role and error log; the role's policy exists before the stream.

    Parameters
    ----------
    scope, id
        As for every construct.
    delivery : Delivery
        What it does.
    source : IStream, optional
        Kinesis data stream to read. Default: direct put.
    backup : Backup, optional
        Where originals are kept. Default: nowhere.

    Attributes
    ----------
    stream : CfnDeliveryStream
    role : Role
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        delivery: Delivery,
        source: kinesis.IStream | None = None,
        backup: Backup | None = None,
    ) -> None:
        super().__init__(scope, id)
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("firehose.amazonaws.com"))
        self._delivery = delivery
        self._logging = self._error_log(delivery.key)
        self._allow(delivery)
        self.stream = _PARTS(
            self,
            "Stream",
            **self._source(source),
            extended_s3_destination_configuration=self._destination(backup),
        )
        # Firehose reads the schema when the stream is made; the table's name alone orders nothing.
        self.stream.node.add_dependency(self.role, delivery.table.resource, *delivery.table.permissions)
        if source is not None:
            # https://docs.aws.amazon.com/firehose/latest/dev/encryption.html
            acknowledge(self.stream, "KDF1", "Firehose stores nothing of a data stream; that stream has its own key.")

    @property
    def arn(self) -> str:
        """ARN of the stream."""
        return self.stream.attr_arn

    def _allow(self, delivery: Delivery) -> None:
        """What every stream needs; the source and the backup add theirs.

        Source: https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html
        """
        delivery.table.grant_write(self.role)
        errors = delivery.errors  # written as JSON, so nobody reads its schema
        Objects(bucket=errors.bucket, key=delivery.key, prefixes=[errors.prefix]).grant_write(self.role)
        function = delivery.transform.function_arn
        grants.allow(self.role, ["lambda:GetFunctionConfiguration", "lambda:InvokeFunction"], [function])

    def _source(self, source: kinesis.IStream | None) -> dict[str, Any]:
        if source is None:
            encryption = _PARTS.DeliveryStreamEncryptionConfigurationInputProperty(
                key_type="CUSTOMER_MANAGED_CMK", key_arn=self._delivery.key.key_arn
            )
            return {
                "delivery_stream_type": "DirectPut",
                "delivery_stream_encryption_configuration_input": encryption,
            }
        actions = ("DescribeStream", "GetRecords", "GetShardIterator", "ListShards")
        grants.use_key(self.role, source.encryption_key, "kms:Decrypt")
        grants.allow(self.role, [f"kinesis:{action}" for action in actions], [source.stream_arn])
        reads = _PARTS.KinesisStreamSourceConfigurationProperty(
            kinesis_stream_arn=source.stream_arn, role_arn=self.role.role_arn
        )
        return {"delivery_stream_type": "KinesisStreamAsSource", "kinesis_stream_source_configuration": reads}

    def _destination(
        self, backup: Backup | None
    ) -> firehose.CfnDeliveryStream.ExtendedS3DestinationConfigurationProperty:
        to = self._delivery
        return _PARTS.ExtendedS3DestinationConfigurationProperty(
            bucket_arn=to.table.bucket.bucket_arn,
            role_arn=self.role.role_arn,
            prefix=f"{to.table.prefix}{_DATE}",
            error_output_prefix=f"{to.errors.prefix}{_ERRORS}",
            file_extension=".parquet",
            compression_format="UNCOMPRESSED",  # the Parquet writer compresses
            buffering_hints=_PARTS.BufferingHintsProperty(
                interval_in_seconds=to.buffer_seconds, size_in_m_bs=BUFFER_MIB
            ),
            encryption_configuration=encryption(to.key),
            cloud_watch_logging_options=self._logging,
            dynamic_partitioning_configuration=_PARTS.DynamicPartitioningConfigurationProperty(
                enabled=True, retry_options=_PARTS.RetryOptionsProperty(duration_in_seconds=_RETRY_SECONDS)
            ),
            processing_configuration=processing(to.transform, self.role),
            data_format_conversion_configuration=conversion(to.table, self.role),
            s3_backup_mode="Disabled" if backup is None else "Enabled",
            s3_backup_configuration=None if backup is None else self._backup(backup),
        )

    def _backup(self, backup: Backup) -> firehose.CfnDeliveryStream.S3DestinationConfigurationProperty:
        Objects(bucket=backup.bucket, key=self._delivery.key, prefixes=[backup.prefix]).grant_write(self.role)
        return _PARTS.S3DestinationConfigurationProperty(
            bucket_arn=backup.bucket.bucket_arn,
            role_arn=self.role.role_arn,
            prefix=backup.prefix,  # Firehose appends YYYY/MM/dd/HH/, which the replay reads
            compression_format="GZIP",
            buffering_hints=_PARTS.BufferingHintsProperty(
                interval_in_seconds=backup.options.buffer_seconds, size_in_m_bs=5
            ),
            encryption_configuration=encryption(self._delivery.key),
            cloud_watch_logging_options=self._logging,
        )

    def _error_log(self, key: kms.IKey) -> firehose.CfnDeliveryStream.CloudWatchLoggingOptionsProperty:
        keep = cdk.RemovalPolicy.RETAIN
        months = logs.RetentionDays.THREE_MONTHS
        group = logs.LogGroup(self, "Errors", encryption_key=key, retention=months, removal_policy=keep)
        stream = logs.LogStream(self, "ErrorStream", log_group=group, removal_policy=keep)
        group.grant_write(self.role)
        return _PARTS.CloudWatchLoggingOptionsProperty(
            enabled=True, log_group_name=group.log_group_name, log_stream_name=stream.log_stream_name
        )
