"""Firehose into a lake: transformed by a function, partitioned, converted by the Glue table; what fails is kept."""

from __future__ import annotations

import base64
import gzip
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Deploy, Until
from tests.local.support import inline_function, role

pytestmark = pytest.mark.laptop_cloud
Stream = Callable[..., dict[str, str]]
ROLE = {"Fn::GetAtt": ["Role", "Arn"]}
TRANSFORM = """
    import base64, json
    def handler(event, context):
        if event["records"] and b"crash" in base64.b64decode(event["records"][0]["data"]):
            raise RuntimeError("boom")
        return {"records": [answer(record) for record in event["records"]]}
    def answer(record):
        reading = json.loads(base64.b64decode(record["data"]))
        if "device" not in reading:
            return {"recordId": record["recordId"], "result": "ProcessingFailed", "data": ""}
        if reading.get("noise"):
            return {"recordId": record["recordId"], "result": "Dropped", "data": ""}
        row = {"device_id": reading["device"], "event_time": reading["at"], "temperature": reading.get("t")}
        data = base64.b64encode(json.dumps(row).encode()).decode()
        return {"recordId": record["recordId"], "result": "Ok", "data": data,
                "metadata": {"partitionKeys": {"date": reading["at"][:10], "device": reading["device"]}}}
"""
LAMBDA_PREFIX = "telemetry/date=!{partitionKeyFromLambda:date}/device_id=!{partitionKeyFromLambda:device}/"
ERRORS = "errors/date=!{timestamp:yyyy-MM-dd}/!{firehose:error-output-type}/"
COLUMNS = {"device_id": "string", "event_time": "timestamp", "temperature": "double", "missing": "double"}


@pytest.fixture
def stream(deploy_template: Deploy) -> Stream:
    """Return a function that deploys a stream with bucket, table and function, and returns the outputs."""

    def make(name: str, **destination: Any) -> dict[str, str]:
        resources = {"Stream": delivery(destination), **surroundings(name.lower())}
        return dict(deploy_template(name, resources, Stream={"Ref": "Stream"}, Bucket={"Ref": "Bucket"}).outputs)

    return make


def delivery(destination: dict[str, Any]) -> dict[str, Any]:
    bucket = {"BucketARN": {"Fn::GetAtt": ["Bucket", "Arn"]}, "RoleARN": ROLE}
    hints = {"IntervalInSeconds": 60, "SizeInMBs": 64}
    config = {**bucket, "ErrorOutputPrefix": ERRORS, "BufferingHints": hints, **destination}
    if "S3BackupConfiguration" in destination:
        config["S3BackupConfiguration"] = {**bucket, **destination["S3BackupConfiguration"]}
    return {
        "Type": "AWS::KinesisFirehose::DeliveryStream",
        "DependsOn": ["Table", "Function"],
        "Properties": {"ExtendedS3DestinationConfiguration": config},
    }


def surroundings(database: str) -> dict[str, Any]:
    catalog = {"CatalogId": {"Ref": "AWS::AccountId"}, "DatabaseName": database}
    columns = [{"Name": name, "Type": kind} for name, kind in COLUMNS.items()]
    storage = {"Columns": columns, "Location": {"Fn::Sub": "s3://${Bucket}/telemetry/"}}
    table = {"Name": "readings", "StorageDescriptor": storage, "PartitionKeys": [{"Name": "date", "Type": "date"}]}
    return {
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "Role": role("firehose.amazonaws.com"),
        "Database": {
            "Type": "AWS::Glue::Database",
            "Properties": {"CatalogId": {"Ref": "AWS::AccountId"}, "DatabaseInput": {"Name": database}},
        },
        "Table": {
            "Type": "AWS::Glue::Table",
            "DependsOn": ["Database"],
            "Properties": {**catalog, "TableInput": table},
        },
        "Function": inline_function(TRANSFORM, FunctionName=f"{database}-transform"),
    }


def transformed(name: str) -> dict[str, Any]:
    parameters = {"LambdaArn": f"arn:aws:lambda:us-east-1:000000000000:function:{name}-transform"}
    values = [{"ParameterName": key, "ParameterValue": value} for key, value in parameters.items()]
    return {"Enabled": True, "Processors": [{"Type": "Lambda", "Parameters": values}]}


def converted(database: str, deserializer: str = "HiveJsonSerDe") -> dict[str, Any]:
    schema = {"DatabaseName": database, "TableName": "readings", "RoleARN": ROLE, "Region": "us-east-1"}
    return {
        "Enabled": True,
        "SchemaConfiguration": schema,
        "InputFormatConfiguration": {"Deserializer": {deserializer: {}}},
        "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {"Compression": "SNAPPY"}}},
    }


def put(cloud: LaptopCloud, name: str, *records: Any) -> None:
    bodies = [{"Data": record if isinstance(record, bytes) else json.dumps(record).encode()} for record in records]
    cloud.client("firehose").put_record_batch(DeliveryStreamName=name, Records=bodies)


def objects(cloud: LaptopCloud, bucket: str, prefix: str) -> dict[str, bytes]:
    s3 = cloud.client("s3")
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return {item["Key"]: s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read() for item in listed}


def documents(found: dict[str, bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for body in found.values() for line in body.splitlines()]


def lowest(cloud: LaptopCloud, stream: str, metric: str) -> float:
    """Return the smallest value of a metric of the stream."""
    now = datetime.now(UTC)
    points = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Firehose", MetricName=metric, Dimensions=[{"Name": "DeliveryStreamName", "Value": stream}],
        StartTime=now - timedelta(minutes=5), EndTime=now + timedelta(minutes=5), Period=3600, Statistics=["Minimum"],
    )["Datapoints"]  # fmt: skip
    return min(float(point["Minimum"]) for point in points)


READINGS = (
    {"device": "a", "at": "2026-01-02 03:04:05.678", "t": 1.5},
    {"device": "b", "at": "2026-01-02 03:04:06.000", "t": 2},
    {"device": "a", "at": "2026-01-02 03:04:07", "t": None},
    {"device": "a", "at": "2026-01-02 03:04:08", "noise": True},
    {"no": "device"},
)


def test_a_record_is_transformed_partitioned_converted_and_its_source_is_kept(
    laptop_cloud: LaptopCloud, stream: Stream, until: Until
) -> None:
    made = stream(
        "Ingest",
        Prefix=LAMBDA_PREFIX,
        DynamicPartitioningConfiguration={"Enabled": True},
        ProcessingConfiguration=transformed("ingest"),
        DataFormatConversionConfiguration=converted("ingest"),
        S3BackupMode="Enabled",
        S3BackupConfiguration={"Prefix": "backup/", "CompressionFormat": "GZIP"},
    )
    put(laptop_cloud, made["Stream"], *READINGS)
    rows = until(lambda: objects(laptop_cloud, made["Bucket"], "errors/")) and objects(
        laptop_cloud, made["Bucket"], "telemetry/"
    )
    folders = {key.rsplit("/", 1)[0]: body for key, body in rows.items() if key.endswith(".parquet")}
    assert set(folders) == {f"telemetry/date=2026-01-02/device_id={device}" for device in "ab"}
    table = pl.read_parquet(io.BytesIO(folders["telemetry/date=2026-01-02/device_id=a"]))
    assert table.schema == {
        "device_id": pl.String, "event_time": pl.Datetime("ms"), "temperature": pl.Float64, "missing": pl.Float64,
    }  # fmt: skip
    assert table["event_time"][0] == datetime(2026, 1, 2, 3, 4, 5, 678_000)
    assert table["temperature"].to_list() == [1.5, None]
    assert table["missing"].to_list() == [None, None]
    ((key, body),) = objects(laptop_cloud, made["Bucket"], "backup/").items()
    assert key.startswith(f"backup/{datetime.now(UTC):%Y/%m/%d}/")
    assert gzip.decompress(body) == b"".join(json.dumps(reading).encode() for reading in READINGS)


def test_a_record_that_the_function_refuses_is_kept_with_its_source(
    laptop_cloud: LaptopCloud, stream: Stream, until: Until
) -> None:
    processing = transformed("refused")
    made = stream("Refused", Prefix="rows/", ProcessingConfiguration=processing)
    put(laptop_cloud, made["Stream"], {"no": "device"}, READINGS[0])
    prefix = f"errors/date={datetime.now(UTC):%Y-%m-%d}/processing-failed/"
    (document,) = documents(until(lambda: objects(laptop_cloud, made["Bucket"], prefix)))
    assert document["errorCode"] == "Lambda.ProcessingFailedStatus"
    assert json.loads(base64.b64decode(document["rawData"])) == {"no": "device"}
    assert document["lambdaArn"].endswith(":refused-transform")
    assert len(documents(objects(laptop_cloud, made["Bucket"], "rows/"))) == 1


def test_a_function_that_keeps_failing_costs_the_records_their_place_but_not_their_data(
    laptop_cloud: LaptopCloud, stream: Stream, until: Until
) -> None:
    made = stream("Crashing", Prefix="rows/", ProcessingConfiguration=transformed("crashing"))
    put(laptop_cloud, made["Stream"], b"crash")
    (document,) = documents(until(lambda: objects(laptop_cloud, made["Bucket"], "errors/"), seconds=30))
    assert (document["errorCode"], document["attemptsMade"]) == ("Lambda.FunctionError", 4)
    assert lowest(laptop_cloud, made["Stream"], "ExecuteProcessing.Success") == 0
    assert lowest(laptop_cloud, made["Stream"], "IncomingRecords") == 1
    assert base64.b64decode(document["rawData"]) == b"crash"


def test_keys_of_a_query_partition_and_a_record_without_them_is_an_error(
    laptop_cloud: LaptopCloud, stream: Stream, until: Until
) -> None:
    query = {"ParameterName": "MetadataExtractionQuery", "ParameterValue": "{site: .place.site}"}
    engine = {"ParameterName": "JsonParsingEngine", "ParameterValue": "JQ-1.6"}
    made = stream(
        "Query",
        Prefix="site=!{partitionKeyFromQuery:site}/",
        DynamicPartitioningConfiguration={"Enabled": True},
        ProcessingConfiguration={
            "Enabled": True,
            "Processors": [{"Type": "MetadataExtraction", "Parameters": [query, engine]}],
        },
    )
    put(laptop_cloud, made["Stream"], {"place": {"site": "north"}}, {"place": {"site": "south"}}, {"place": {}})
    until(lambda: objects(laptop_cloud, made["Bucket"], "errors/"))
    keys = objects(laptop_cloud, made["Bucket"], "site=")
    assert {key.rsplit("/", 1)[0] for key in keys} == {"site=north", "site=south"}


def test_records_that_do_not_fit_the_table_leave_the_others_alone(
    laptop_cloud: LaptopCloud, stream: Stream, until: Until
) -> None:
    made = stream("Misfit", Prefix="rows/", DataFormatConversionConfiguration=converted("misfit"))
    good = {"device_id": "a", "event_time": "2026-01-02 03:04:05", "temperature": 1}
    bad = [{**good, "temperature": "warm"}, {**good, "event_time": "2026-01-02T03:04:05Z"}]
    put(laptop_cloud, made["Stream"], good, *bad, b"{", good)
    prefix = f"errors/date={datetime.now(UTC):%Y-%m-%d}/format-conversion-failed/"
    refused = documents(until(lambda: objects(laptop_cloud, made["Bucket"], prefix)))
    assert sorted(item["lastErrorCode"] for item in refused) == [
        "DataFormatConversion.MalformedData",
        "DataFormatConversion.MalformedData",
        "DataFormatConversion.ParseError",
    ]
    ((key, body),) = objects(laptop_cloud, made["Bucket"], "rows/").items()
    assert key.endswith(".parquet")
    assert pl.read_parquet(io.BytesIO(body))["temperature"].to_list() == [1.0, 1.0]


def test_the_openx_deserializer_reads_iso_times(laptop_cloud: LaptopCloud, stream: Stream, until: Until) -> None:
    conversion = converted("openx", "OpenXJsonSerDe")
    made = stream("Openx", Prefix="rows/", DataFormatConversionConfiguration=conversion)
    put(laptop_cloud, made["Stream"], {"Device_Id": "a", "event_time": "2026-01-02T03:04:05.5Z", "unknown": 1})
    ((_, body),) = until(lambda: objects(laptop_cloud, made["Bucket"], "rows/")).items()
    assert pl.read_parquet(io.BytesIO(body)).rows() == [("a", datetime(2026, 1, 2, 3, 4, 5, 500_000), None, None)]
