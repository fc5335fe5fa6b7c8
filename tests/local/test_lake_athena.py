"""Athena on the laptop cloud: tables of the catalog by DuckDB, with Athena's rules of partitions and workgroups."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Deploy, Until

pytestmark = pytest.mark.laptop_cloud
Ask = Callable[..., list[list[str | None]]]
PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
JSON = "org.openx.data.jsonserde.JsonSerDe"
DATED = {
    "projection.enabled": "true",
    "projection.date.type": "date",
    "projection.date.format": "yyyy-MM-dd",
    "projection.date.range": "2026-01-01,NOW+1DAY",
}


@pytest.fixture
def lake(laptop_cloud: LaptopCloud, deploy_template: Deploy) -> str:
    """Return the bucket of a lake with a workgroup and a database, both named ``lake``."""
    laptop_cloud.client("s3").create_bucket(Bucket="athena-lake")
    result = {"OutputLocation": "s3://athena-lake/results/", "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"}}
    group = {"EnforceWorkGroupConfiguration": True, "ResultConfiguration": result}
    catalog = {"CatalogId": {"Ref": "AWS::AccountId"}, "DatabaseInput": {"Name": "lake"}}
    deploy_template(
        "AthenaLake",
        {
            "Group": {
                "Type": "AWS::Athena::WorkGroup",
                "Properties": {"Name": "lake", "WorkGroupConfiguration": group},
            },
            "Database": {"Type": "AWS::Glue::Database", "Properties": catalog},
        },
    )
    return "athena-lake"


@pytest.fixture
def ask(laptop_cloud: LaptopCloud, lake: str, until: Until) -> Ask:
    """Return a function that runs a query and returns its rows as texts."""
    athena = laptop_cloud.client("athena")

    def query(sql: str) -> list[list[str | None]]:
        execution = run(laptop_cloud, until, sql)
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
        found = athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])["ResultSet"]["Rows"]
        return [[item.get("VarCharValue") for item in row["Data"]] for row in found[1:]]

    return query


def run(cloud: LaptopCloud, until: Until, sql: str, **more: Any) -> dict[str, Any]:
    athena = cloud.client("athena")
    context = {"Database": "lake"}
    request = {"QueryString": sql, "WorkGroup": "lake", "QueryExecutionContext": context, **more}
    query_id = athena.start_query_execution(**request)["QueryExecutionId"]

    def ended() -> dict[str, Any] | None:
        execution: dict[str, Any] = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
        return execution if execution["Status"]["State"] not in ("QUEUED", "RUNNING") else None

    finished: dict[str, Any] = until(ended)
    return finished


def table(cloud: LaptopCloud, name: str, columns: dict[str, str], serde: str, **more: Any) -> None:
    storage = {
        "Columns": [{"Name": key, "Type": kind} for key, kind in columns.items()],
        "Location": f"s3://athena-lake/{name}/",
        "SerdeInfo": {"SerializationLibrary": serde},
    }
    storage |= more.pop("StorageDescriptor", {})
    definition = {"Name": name, "StorageDescriptor": storage, "TableType": "EXTERNAL_TABLE", **more}
    cloud.client("glue").create_table(DatabaseName="lake", TableInput=definition)


def put(cloud: LaptopCloud, key: str, frame: pl.DataFrame | bytes) -> None:
    buffer = io.BytesIO()
    if isinstance(frame, pl.DataFrame):
        frame.write_parquet(buffer)
    else:
        buffer.write(frame)
    cloud.client("s3").put_object(Bucket="athena-lake", Key=key, Body=buffer.getvalue())


def readings(device: str, *values: float) -> pl.DataFrame:
    at = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
    times = [at + timedelta(seconds=number) for number in range(len(values))]
    schema: dict[str, Any] = {"device_id": pl.String, "event_time": pl.Datetime("ms", "UTC"), "temperature": pl.Float64}
    rows = {"device_id": [device] * len(values), "event_time": times, "temperature": list(values)}
    return pl.DataFrame(rows, schema=schema)


COLUMNS = {"device_id": "string", "event_time": "timestamp", "temperature": "double", "humidity": "double"}


def test_a_projected_date_is_a_column_and_a_folder_named_like_a_column_is_not(
    laptop_cloud: LaptopCloud, ask: Ask
) -> None:
    date = [{"Name": "date", "Type": "string"}]
    table(laptop_cloud, "telemetry", COLUMNS, PARQUET, PartitionKeys=date, Parameters=DATED)
    put(laptop_cloud, "telemetry/date=2026-01-02/device_id=a.b/1.parquet", readings("a:b", 1.0, 2.0))
    put(laptop_cloud, "telemetry/date=2026-01-03/device_id=c/1.parquet", readings("c", 4.5))
    put(laptop_cloud, "telemetry/date=2025-12-31/device_id=c/1.parquet", readings("c", 100.0))  # before the range
    put(laptop_cloud, "telemetry/date=2026-01-03/_hidden/1.parquet", readings("h", 100.0))
    grouped = "SELECT date, device_id, sum(temperature), count(humidity) FROM telemetry GROUP BY 1, 2 ORDER BY 1"
    assert ask(grouped) == [["2026-01-02", "a:b", "3.0", "0"], ["2026-01-03", "c", "4.5", "0"]]
    one = "SELECT event_time, humidity FROM lake.telemetry WHERE date = '2026-01-03'"
    assert ask(one) == [["2026-01-02 03:04:05.678", None]]


def test_a_table_shows_the_version_that_its_location_names(laptop_cloud: LaptopCloud, ask: Ask) -> None:
    at = {"Location": "s3://athena-lake/readings/version=none/"}
    table(laptop_cloud, "readings", COLUMNS, PARQUET, StorageDescriptor=at)
    assert ask("SELECT count(*) FROM readings") == [["0"]]
    for version, value in (("v1", 1.0), ("v2", 2.0)):
        put(laptop_cloud, f"readings/version={version}/device_id=a/part-00000.parquet", readings("a", value))
    glue = laptop_cloud.client("glue")
    kept = ("Name", "StorageDescriptor", "TableType")
    shown = glue.get_table(DatabaseName="lake", Name="readings")["Table"]
    shown["StorageDescriptor"]["Location"] = "s3://athena-lake/readings/version=v2/"
    glue.update_table(DatabaseName="lake", TableInput={name: shown[name] for name in kept})
    assert ask("SELECT device_id, temperature FROM readings") == [["a", "2.0"]]


def test_lines_of_json_are_read_whatever_the_case_of_their_names(laptop_cloud: LaptopCloud, ask: Ask) -> None:
    keys = [{"Name": "year", "Type": "int"}, {"Name": "day", "Type": "int"}]
    rules = {"type": "integer", "range": "1,9999", "digits": "2"}
    projected = {f"projection.{key['Name']}.{rule}": value for key in keys for rule, value in rules.items()}
    template = {"storage.location.template": "s3://athena-lake/errors/${year}/${day}/", "projection.enabled": "true"}
    columns = {"errorcode": "string", "attempts": "bigint", "scores": "map<string,double>"}
    table(laptop_cloud, "errors", columns, JSON, PartitionKeys=keys, Parameters={**projected, **template})
    lines = [{"errorCode": "Lambda.X", "attempts": 4, "scores": {"a": 1.5}, "more": 1}, {"errorCode": None}]
    put(laptop_cloud, "errors/2026/07/part", "\n".join(json.dumps(line) for line in lines).encode())
    sql = "SELECT errorcode, attempts, scores['a'], year, day FROM errors ORDER BY attempts"
    assert ask(sql) == [["Lambda.X", "4", "1.5", "2026", "7"], [None, None, None, "2026", "7"]]


def test_results_go_where_the_workgroup_says_as_quoted_csv(laptop_cloud: LaptopCloud, lake: str, until: Until) -> None:
    elsewhere = {"OutputLocation": "s3://athena-lake/elsewhere/"}
    execution = run(
        laptop_cloud, until, "SELECT 'a' AS word, CAST(NULL AS int) AS number", ResultConfiguration=elsewhere
    )
    location = execution["ResultConfiguration"]["OutputLocation"]
    assert location == f"s3://{lake}/results/{execution['QueryExecutionId']}.csv"
    key = location.removeprefix(f"s3://{lake}/")
    assert laptop_cloud.client("s3").get_object(Bucket=lake, Key=key)["Body"].read() == b'"word","number"\n"a",\n'


def test_a_query_beyond_the_workgroups_limit_is_cancelled(laptop_cloud: LaptopCloud, lake: str, until: Until) -> None:
    table(laptop_cloud, "large", COLUMNS, PARQUET)
    put(laptop_cloud, "large/1.parquet", pl.DataFrame({"device_id": [os.urandom(12_000_000).hex()]}))
    athena = laptop_cloud.client("athena")
    result = {"OutputLocation": f"s3://{lake}/results/"}
    for name, limit in (("small", 10_000_000), ("wide", 100_000_000)):
        config = {"ResultConfiguration": result, "BytesScannedCutoffPerQuery": limit}
        athena.create_work_group(Name=name, Configuration=config)
    states = {
        name: run(laptop_cloud, until, "SELECT count(*) FROM large", WorkGroup=name) for name in ("small", "wide")
    }
    assert states["wide"]["Status"]["State"] == "SUCCEEDED"
    assert states["small"]["Status"]["State"] == "CANCELLED"
    assert "Bytes scanned limit" in states["small"]["Status"]["StateChangeReason"]
    assert states["wide"]["Statistics"]["DataScannedInBytes"] > 10_000_000


def test_a_query_of_no_table_fails_and_an_unknown_workgroup_is_refused(
    laptop_cloud: LaptopCloud, lake: str, until: Until
) -> None:
    failed = run(laptop_cloud, until, "SELECT * FROM none_such")
    assert failed["Status"]["State"] == "FAILED"
    assert "TABLE_NOT_FOUND" in failed["Status"]["StateChangeReason"]
    athena = laptop_cloud.client("athena")
    with pytest.raises(athena.exceptions.InvalidRequestException, match="WorkGroup none is not found"):
        athena.start_query_execution(QueryString="SELECT 1", WorkGroup="none")


def test_a_query_must_name_the_value_of_an_injected_partition(
    laptop_cloud: LaptopCloud, ask: Ask, until: Until
) -> None:
    key = [{"Name": "device_id", "Type": "string"}]
    parameters = {"projection.enabled": "true", "projection.device_id.type": "injected"}
    table(laptop_cloud, "injected", {"n": "int"}, JSON, PartitionKeys=key, Parameters=parameters)
    for device in "ab":
        put(laptop_cloud, f"injected/device_id={device}/1.json", b'{"n": 7}')
    failed = run(laptop_cloud, until, "SELECT n FROM injected")
    assert "CONSTRAINT_VIOLATION" in failed["Status"]["StateChangeReason"]
    assert ask("SELECT n, device_id FROM injected WHERE device_id = 'a'") == [["7", "a"]]


def test_a_partition_that_nobody_registered_is_not_read(laptop_cloud: LaptopCloud, ask: Ask) -> None:
    key = [{"Name": "day", "Type": "string"}]
    table(laptop_cloud, "registered", {"n": "int"}, JSON, PartitionKeys=key)
    for day in ("1", "2"):
        put(laptop_cloud, f"registered/day={day}/1.json", b'{"n": 7}')
    shown = laptop_cloud.client("glue").get_table(DatabaseName="lake", Name="registered")["Table"]["StorageDescriptor"]
    entry = {"Values": ["2"], "StorageDescriptor": {**shown, "Location": "s3://athena-lake/registered/day=2/"}}
    laptop_cloud.client("glue").create_partition(DatabaseName="lake", TableName="registered", PartitionInput=entry)
    assert ask("SELECT day FROM registered") == [["2"]]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("from_utf8(from_base64('aGVsbG8='))", "hello"),
        ("from_iso8601_timestamp('2026-01-02T03:04:05+01:00')", "2026-01-02 02:04:05.000"),
        ("from_unixtime(1.5)", "1970-01-01 00:00:01.500"),
        ("json_extract_scalar('{\"a\": {\"b\": 7}}', '$.a.b')", "7"),
        ("regexp_like('unit-7', '-[0-9]$')", "true"),
        ("to_unixtime(timestamp '1970-01-01 00:00:05')", "5.0"),
    ],
)
def test_functions_of_athena_are_there(expression: str, value: str, ask: Ask) -> None:
    assert ask(f"SELECT {expression}") == [[value]]


def test_a_time_with_a_zone_is_shown_as_utc(ask: Ask) -> None:
    query = "SELECT CAST('2026-01-02 03:04:05+02' AS timestamp with time zone) AS at, 1 AS one ORDER BY one"
    assert ask(query) == [["2026-01-02 01:04:05.000", "1"]]
