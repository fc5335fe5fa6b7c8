"""StreamIngest: rows by date and device as Parquet, errors in a table, originals kept, alarms, narrow roles."""

from __future__ import annotations

import json
from collections.abc import Callable

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns

from cdk_ml_lens.lake.lake_table import LakeTable
from cdk_ml_lens.lake.stream_ingest import StreamIngest
from cdk_ml_lens.lake.stream_values import SourceBackup, StreamSource
from tests.unit.lake.stream_support import Synth, delivery, raw_table


@pytest.fixture
def table(stack: cdk.Stack) -> LakeTable:
    return raw_table(stack)


def test_minimal_writes_parquet_by_date_and_device(stack: cdk.Stack, table: LakeTable, synth: Synth) -> None:
    StreamIngest(stack, "Ingest", table=table)
    stream = delivery(synth(stack))
    target = stream["ExtendedS3DestinationConfiguration"]
    assert stream["DeliveryStreamType"] == "DirectPut"
    assert stream["DeliveryStreamEncryptionConfigurationInput"]["KeyType"] == "CUSTOMER_MANAGED_CMK"
    keys = "date=!{partitionKeyFromLambda:date}/device_id=!{partitionKeyFromLambda:device_id}/"
    assert target["Prefix"] == f"telemetry/{keys}"
    assert target["DynamicPartitioningConfiguration"]["Enabled"] is True
    assert target["CompressionFormat"] == "UNCOMPRESSED"
    assert target["BufferingHints"] == {"IntervalInSeconds": 300, "SizeInMBs": 64}
    conversion = target["DataFormatConversionConfiguration"]
    assert conversion["SchemaConfiguration"]["TableName"] == "telemetry"
    assert conversion["OutputFormatConfiguration"]["Serializer"]["ParquetSerDe"]["Compression"] == "SNAPPY"
    formats = conversion["InputFormatConfiguration"]["Deserializer"]["HiveJsonSerDe"]["TimestampFormats"]
    assert formats == ["yyyy-MM-dd HH:mm:ss.SSS"]


def test_refused_records_land_in_a_catalogued_table(stack: cdk.Stack, table: LakeTable, synth: Synth) -> None:
    ingest = StreamIngest(stack, "Ingest", table=table)
    template = synth(stack)
    assert ingest.errors.name == "telemetry_errors"
    prefix = delivery(template)["ExtendedS3DestinationConfiguration"]["ErrorOutputPrefix"]
    assert prefix == "telemetry_errors/date=!{timestamp:yyyy-MM-dd}/!{firehose:error-output-type}/"
    inputs = [found["Properties"]["TableInput"] for found in template.of_type("AWS::Glue::Table").values()]
    (errors,) = [entry for entry in inputs if entry["Name"] == "telemetry_errors"]
    assert [key["Name"] for key in errors["PartitionKeys"]] == ["date"]
    assert errors["Parameters"]["projection.enabled"] == "true"
    assert "JsonSerDe" in errors["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"]
    names = [column["Name"] for column in errors["StorageDescriptor"]["Columns"]]
    assert {"rawdata", "errorcode", "errormessage", "lasterrorcode", "lasterrormessage"} <= set(names)


def test_the_transform_knows_the_sensors_of_the_table(stack: cdk.Stack, table: LakeTable, synth: Synth) -> None:
    StreamIngest(stack, "Ingest", table=table)
    template = synth(stack)
    (function,) = [
        found["Properties"]
        for found in template.of_type("AWS::Lambda::Function").values()
        if found["Properties"]["Handler"] == "handlers.transform_readings.handler"
    ]
    assert function["Environment"]["Variables"]["SENSORS"] == "temperature,vibration"
    processing = delivery(template)["ExtendedS3DestinationConfiguration"]["ProcessingConfiguration"]
    (processor,) = processing["Processors"]
    values = {entry["ParameterName"]: entry["ParameterValue"] for entry in processor["Parameters"]}
    assert "IngestTransform" in json.dumps(values["LambdaArn"])
    assert (values["NumberOfRetries"], values["BufferSizeInMBs"]) == ("3", "1")


def test_originals_are_kept_before_the_transform_and_expire(stack: cdk.Stack, table: LakeTable, synth: Synth) -> None:
    StreamIngest(stack, "Ingest", table=table, backup=SourceBackup(days=10, buffer_seconds=60))
    template = synth(stack)
    target = delivery(template)["ExtendedS3DestinationConfiguration"]
    assert target["S3BackupMode"] == "Enabled"
    backup = target["S3BackupConfiguration"]
    assert (backup["Prefix"], backup["CompressionFormat"]) == ("telemetry/", "GZIP")
    assert backup["BufferingHints"]["IntervalInSeconds"] == 60
    bucket = template.resources[backup["BucketARN"]["Fn::GetAtt"][0]]
    assert bucket["Properties"]["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] == 10
    assert bucket["DeletionPolicy"] == "Retain"


def test_firehose_may_write_two_prefixes_and_originals_and_read_one_schema(
    stack: cdk.Stack, table: LakeTable, synth: Synth
) -> None:
    StreamIngest(stack, "Ingest", table=table)
    template = synth(stack)
    assert template.actions("IngestLiveRole") == {
        *("logs:CreateLogStream", "logs:PutLogEvents", "kms:GenerateDataKey", "kms:Decrypt"),
        *("glue:GetDatabase", "glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"),
        *("s3:GetBucketLocation", "s3:ListBucketMultipartUploads", "s3:PutObject", "s3:AbortMultipartUpload"),
        *("lambda:GetFunctionConfiguration", "lambda:InvokeFunction"),
    }
    puts = [item for item in template.statements("IngestLiveRole") if "s3:PutObject" in item["Action"]]
    paths = sorted(item["Resource"]["Fn::Join"][1][1] for item in puts)
    assert paths == ["/telemetry/*", "/telemetry/*", "/telemetry_errors/*"]


def test_policy_and_schema_exist_before_the_stream(stack: cdk.Stack, table: LakeTable, synth: Synth) -> None:
    StreamIngest(stack, "Ingest", table=table)
    template = synth(stack)
    (live,) = [id for id in template.of_type("AWS::KinesisFirehose::DeliveryStream") if "Live" in id]
    before = template.depends_on(live)
    assert {id for id in template.of_type("AWS::IAM::Policy") if "IngestLive" in id} <= before
    assert any(template.resources[id]["Type"] == "AWS::Glue::Table" for id in before)


def test_full_reads_a_data_stream_and_takes_a_transform_of_ones_own(
    stack: cdk.Stack, table: LakeTable, synth: Synth
) -> None:
    stream = kinesis.Stream(stack, "Readings", encryption_key=kms.Key(stack, "Mine"))
    own = lambda_.Function.from_function_arn(stack, "Own", "arn:aws:lambda:us-east-1:123456789012:function:own")
    topic = sns.Topic(stack, "Alarms")
    ingest = StreamIngest(
        stack,
        "Ingest",
        table=table,
        source=StreamSource.stream(stream),
        transform=own,
        buffer_seconds=60,
        backup=SourceBackup(days=5),
        alarm_topic=topic,
    )
    writer = iam.Role(stack, "Writer", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
    ingest.grant_write(writer)
    template = synth(stack)
    live = delivery(template)
    assert live["DeliveryStreamType"] == "KinesisStreamAsSource"
    assert "DeliveryStreamEncryptionConfigurationInput" not in live  # AWS refuses it with such a source
    assert template.actions("IngestLiveRole") >= {"kinesis:GetRecords", "kinesis:ListShards", "kms:Decrypt"}
    assert template.actions("Writer") == {"kinesis:PutRecord", "kinesis:PutRecords", "kms:GenerateDataKey"}
    handlers = [found["Properties"]["Handler"] for found in template.of_type("AWS::Lambda::Function").values()]
    assert "handlers.transform_readings.handler" not in handlers
    found = template.of_type("AWS::CloudWatch::Alarm")
    alarms = [alarm["Properties"] for id, alarm in found.items() if id.startswith("Ingest")]
    assert "KinesisMillisBehindLatest" in {alarm["MetricName"] for alarm in alarms}
    assert all(alarm["AlarmActions"] for alarm in alarms)


def test_writers_put_records_and_nothing_else(stack: cdk.Stack, table: LakeTable, synth: Synth) -> None:
    ingest = StreamIngest(stack, "Ingest", table=table)
    for id, grant in (("Writer", ingest.grant_write), ("Operator", ingest.grant_replay)):
        grant(iam.Role(stack, id, assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com")))
    template = synth(stack)
    assert template.actions("Writer") == {"firehose:PutRecord", "firehose:PutRecordBatch"}
    assert template.actions("Operator") == {"states:StartExecution"}


def test_late_rows_and_lost_records_raise_alarms(stack: cdk.Stack, table: LakeTable, synth: Synth) -> None:
    StreamIngest(stack, "Ingest", table=table, buffer_seconds=900)
    alarms = {
        found["Properties"]["MetricName"]: found["Properties"]
        for id, found in synth(stack).of_type("AWS::CloudWatch::Alarm").items()
        if id.startswith("Ingest")
    }
    assert set(alarms) == {
        *("DeliveryToS3.DataFreshness", "ExecuteProcessing.Success", "FailedConversion.Records"),
        *("PartitionCountExceeded", "ThrottledRecords", "BackupToS3.DataFreshness", "RecordsRefused"),
        "ExecutionsFailed",
    }
    assert alarms["DeliveryToS3.DataFreshness"]["Threshold"] > 1.5 * 900
    assert [entry["Name"] for entry in alarms["RecordsRefused"]["Dimensions"]] == ["Table"]


def test_what_holds_data_keeps_its_logical_id(stack: cdk.Stack, table: LakeTable, synth: Synth) -> None:
    StreamIngest(stack, "Ingest", table=table)
    template = synth(stack)
    buckets = {id for id in template.of_type("AWS::S3::Bucket") if id.startswith("Ingest")}
    assert buckets == {"IngestOriginalsData6C6AB234", "IngestOriginalsAccessLogs53687648"}
    streams = set(template.of_type("AWS::KinesisFirehose::DeliveryStream"))
    assert streams == {"IngestLiveStream4E935BB3", "IngestReplayStreamD5DB1788"}


@pytest.mark.parametrize("streamed", [False, True])
def test_nag_is_clean(
    stack: cdk.Stack, table: LakeTable, nag: Callable[[cdk.Stack], list[str]], streamed: bool
) -> None:
    mine = kinesis.Stream.from_stream_arn(stack, "Mine", "arn:aws:kinesis:us-east-1:123456789012:stream/mine")
    source = StreamSource.stream(mine) if streamed else StreamSource.direct()
    StreamIngest(stack, "Ingest", table=table, source=source)
    assert nag(stack) == []
