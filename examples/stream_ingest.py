"""All telemetry of a fleet in the raw zone, and every prediction in a table of its own; somebody may replay."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms

from cdk_ml_lens import (
    AlarmRule,
    DataLake,
    DeviceFleet,
    NotifyTopic,
    PredictionLog,
    RuleSql,
    Sensor,
    SourceBackup,
    StreamIngest,
    StreamSource,
    TelemetryArchive,
    harden,
    prediction_table,
    telemetry_table,
)
from cdk_ml_lens.core.nag import acknowledge


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "StreamIngest")
    alarms = NotifyTopic(stack, "Alarms").topic
    # region: table
    lake = DataLake(stack, "Lake")
    sensors = [Sensor(name="temperature"), Sensor(name="vibration", minimum=0)]
    telemetry = lake.add_table(telemetry_table(sensors, since="2026-01-01"))
    # endregion
    # region: ingest
    ingest = StreamIngest(
        stack,
        "Ingest",
        table=telemetry,
        buffer_seconds=60,
        backup=SourceBackup(days=90),
        alarm_topic=alarms,
    )
    # endregion
    # region: archive
    fleet = DeviceFleet(stack, "Fleet", topic_prefix="plant/turbines")
    TelemetryArchive(
        stack,
        "Archive",
        sql=RuleSql(topic_filter=fleet.telemetry_topic_filter, device_level=fleet.device_level),
        ingest=ingest,
        alarm_topic=alarms,
    )
    # endregion
    # region: predictions
    log = PredictionLog(
        stack,
        "Predictions",
        bucket=lake.zone("raw").bucket,
        prefix="predictions",
        encryption_key=lake.encryption_key,
    )
    predictions = lake.add_table(prediction_table(log.prefix))
    # endregion
    # region: alarm
    ingest.alarm(
        "NothingArrivesAlarm",
        AlarmRule(
            metric="IncomingRecords",
            threshold=1,
            comparison="below",
            period_minutes=15,
            missing="breaching",
            description="No telemetry for a quarter of an hour.",
        ),
    )
    # endregion
    # region: grant
    writer = iam.Role(stack, "Writer", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
    ingest.grant_write(writer)
    operator = iam.Role(stack, "WriterOfReplays", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
    ingest.grant_replay(operator)
    # endregion
    _presses(stack, lake)
    for name, value in (
        ("RawBucket", lake.zone("raw").bucket.bucket_name),
        ("OriginalsBucket", ingest.backup_bucket.bucket_name),
        ("Table", f"{telemetry.database_name}.{telemetry.name}"),
        ("PredictionTable", f"{predictions.database_name}.{predictions.name}"),
        ("PredictionStream", log.stream.ref),
        ("Workgroup", lake.workgroup.name),
        ("StreamName", ingest.stream.ref),
        ("ReplayMachine", ingest.replay.machine.arn),
    ):
        cdk.CfnOutput(stack, name, value=value)
    harden(stack, alarm_topic=alarms)
    acknowledge(
        stack,
        "IOT4",
        "No list of serial numbers here; device_fleet.py passes pre_provisioning_hook=, which looks them up.",
        pack="MlLens",
    )
    return stack


def _presses(stack: cdk.Stack, lake: DataLake) -> None:
    """Another fleet's readings already are in a data stream."""
    # region: stream
    key = kms.Key(stack, "StreamKey", enable_key_rotation=True)
    readings = kinesis.Stream(stack, "Readings", encryption=kinesis.StreamEncryption.KMS, encryption_key=key)
    cdk.Validations.of(readings).acknowledge(
        cdk.Acknowledgment(id="AwsSolutions::AwsSolutions-KDS3", reason="A key of our own can be revoked.")
    )
    presses = lake.add_table(telemetry_table([Sensor(name="force")], name="presses"))
    StreamIngest(stack, "Presses", table=presses, source=StreamSource.stream(readings))
    # endregion


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
