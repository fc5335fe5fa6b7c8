"""StreamIngest: records of a stream become Parquet rows of the lake's raw table; none is lost, any can be replayed."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.alarms import AlarmRule, add_alarm
from cdk_ml_lens.core.bucket import SecureBucket
from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.function import HandlerFunction
from cdk_ml_lens.lake.lake_table import LakeTable
from cdk_ml_lens.lake.lake_zone import LakeZone
from cdk_ml_lens.lake.stream_alarms import BEHIND_ALARM, DELIVERY_ALARMS, REFUSED_ALARM, freshness_alarm
from cdk_ml_lens.lake.stream_delivery import Backup, Delivery, DeliveryStream
from cdk_ml_lens.lake.stream_replay import FAILURE_ALARM, Replay
from cdk_ml_lens.lake.stream_tables import errors_table, sensor_names
from cdk_ml_lens.lake.stream_values import SourceBackup, StreamSource

_NAMESPACE = "CdkMlLens/Ingest"


class StreamIngest(Construct):
    """A Firehose stream into ``<table>/date=…/device_id=…/``, with originals, an errors table, and replay.

    Parameters
    ----------
    scope, id
        As for every construct.
    table : LakeTable
        Target: Parquet by ``date``, as `telemetry_table` makes it. A table ``<table>_errors`` is added beside it.
    source : StreamSource, optional
        Direct put, or a Kinesis data stream. Default: direct put.
    transform : IFunction, optional
        Firehose transformation that answers each record with a row and the partition keys ``date`` and ``device_id``.
        Default: ours, for what a topic rule of this library writes.
    buffer_seconds : int
        Longest wait before a partition is written, in seconds, 60 to 900. Default: 300.
    backup : SourceBackup, optional
        How long originals are kept. Default: 35 days.
    alarm_topic : ITopic, optional
        Who hears of late rows and refused records. Default: nobody.
    removal_policy : RemovalPolicy, optional
        Of the originals. Default: retain. ``DESTROY`` also takes the context flag ``cdk-ml-lens:removeDataOnDestroy``.

    Attributes
    ----------
    stream : CfnDeliveryStream
    role : Role
        Taken by Firehose.
    errors : LakeTable
        What did not become a row: the record (base64) and the reason.
    backup_bucket : Bucket
        Originals, below ``<table>/YYYY/MM/dd/HH/``.
    replay : Replay
        The state machine ``replay.machine``.

    Raises
    ------
    PropError
        When the table is not one for readings, or the buffer is out of range.

    Notes
    -----
    Sources: https://docs.aws.amazon.com/firehose/latest/dev/dynamic-partitioning.html,
    https://docs.aws.amazon.com/firehose/latest/dev/record-format-conversion.html. Lens best practices MLREL03-BP01,
    MLREL05-BP02.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        table: LakeTable,
        source: StreamSource | None = None,
        transform: lambda_.IFunction | None = None,
        buffer_seconds: int = 300,
        backup: SourceBackup | None = None,
        alarm_topic: sns.ITopic | None = None,
        removal_policy: cdk.RemovalPolicy | None = None,
    ) -> None:
        sensors = sensor_names(table.table)
        faults = Faults(f"stream ingest into {table.name!r}")
        # Dynamic partitioning has no zero buffering: https://docs.aws.amazon.com/firehose/latest/dev/buffering.html
        faults.within("buffer_seconds", buffer_seconds, 60, 900)
        zone = table.node.scope
        faults.unless(isinstance(zone, LakeZone), "table", "be made by DataLake.add_table", table.name)
        faults.raise_any()
        assert isinstance(zone, LakeZone)
        super().__init__(scope, id)
        self.table = table
        self.source = StreamSource.direct() if source is None else source
        self._alarm_topic = alarm_topic
        self.errors = zone.add_table(errors_table(table.table))
        options = SourceBackup() if backup is None else backup
        originals = SecureBucket(
            self,
            "Originals",
            encryption_key=table.encryption_key,
            expire_days=options.days,
            removal_policy=removal_policy,
        )
        self.backup_bucket = originals.bucket
        kept = Backup(bucket=originals.bucket, prefix=f"{table.name}/", options=options)
        delivery = Delivery(
            table=table,
            errors=self.errors,
            transform=self._transform(sensors) if transform is None else transform,
            buffer_seconds=buffer_seconds,
        )
        live = DeliveryStream(self, "Live", delivery=delivery, source=self.source.kinesis_stream, backup=kept)
        self.stream: firehose.CfnDeliveryStream = live.stream
        self.role = live.role
        self.replay = Replay(self, "Replay", delivery=delivery, backup=kept)
        self._add_alarms(buffer_seconds, ours=transform is None)

    def grant_write(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow writing records to the source: Firehose ``PutRecord`` and ``PutRecordBatch``, or Kinesis' two.

        Firehose uses its key by a grant of its own; writers to a data stream need ``kms:GenerateDataKey``.
        """
        stream = self.source.kinesis_stream
        if stream is None:
            return grants.allow(grantee, ["firehose:PutRecord", "firehose:PutRecordBatch"], [self.stream.attr_arn])
        grants.use_key(grantee, stream.encryption_key, "kms:GenerateDataKey")
        return grants.allow(grantee, ["kinesis:PutRecord", "kinesis:PutRecords"], [stream.stream_arn])

    def grant_replay(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow starting a replay."""
        return self.replay.machine.grant_start(grantee)

    def metric(self, name: str) -> cloudwatch.Metric:
        """Return one metric of the stream, in ``AWS/Firehose``."""
        return cloudwatch.Metric(
            namespace="AWS/Firehose", metric_name=name, dimensions_map={"DeliveryStreamName": self.stream.ref}
        )

    def metric_rows(self, name: str = "RowsWritten") -> cloudwatch.Metric:
        """Return a count of our transform function: ``RowsWritten`` or ``RecordsRefused``, live and replayed."""
        return cloudwatch.Metric(
            namespace=_NAMESPACE, metric_name=name, dimensions_map={"Table": self._full_name}, statistic="Sum"
        )

    def alarm(self, id: str, rule: AlarmRule) -> cloudwatch.Alarm:
        """Make an alarm on a metric of the stream."""
        return add_alarm(self, id, metric=self.metric(rule.metric), rule=rule, topic=self._alarm_topic)

    @property
    def _full_name(self) -> str:
        return f"{self.table.database_name}.{self.table.name}"

    def _transform(self, sensors: tuple[str, ...]) -> lambda_.IFunction:
        made = HandlerFunction(
            self,
            "Transform",
            handler="transform_readings",
            environment={"SENSORS": ",".join(sensors), "TABLE": self._full_name},
            encryption_key=self.table.encryption_key,
            timeout_seconds=120,
        )
        made.answers("Firehose")
        made.function.node.add_dependency(made.role)
        return made.function

    def _add_alarms(self, buffer_seconds: int, *, ours: bool) -> None:
        self.alarm("FreshnessAlarm", freshness_alarm(buffer_seconds))
        for id, rule in DELIVERY_ALARMS.items():
            self.alarm(id, rule)
        if self.source.kinesis_stream is not None:
            self.alarm("BehindAlarm", BEHIND_ALARM)
        if ours:
            refused = self.metric_rows(REFUSED_ALARM.metric)
            add_alarm(self, "RefusedAlarm", metric=refused, rule=REFUSED_ALARM, topic=self._alarm_topic)
        self.replay.alarm("FailureAlarm", FAILURE_ALARM, topic=self._alarm_topic)
