"""Queries that fail: formats, rows and places that cannot be read, results that cannot be written; and statements."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Until

pytestmark = pytest.mark.laptop_cloud
Run = Callable[..., dict[str, Any]]
PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
JSON = "org.openx.data.jsonserde.JsonSerDe"
CSV = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
BUCKET, DATABASE = "refusals-lake", "refusals"


@pytest.fixture(scope="module", autouse=True)
def lake(laptop_cloud: LaptopCloud) -> None:
    laptop_cloud.client("s3").create_bucket(Bucket=BUCKET)
    laptop_cloud.client("glue").create_database(DatabaseInput={"Name": DATABASE})


@pytest.fixture
def run(laptop_cloud: LaptopCloud, until: Until) -> Run:
    """Return a function that runs a query of the primary workgroup to its end and returns the execution."""
    athena = laptop_cloud.client("athena")

    def query(sql: str, output: str = f"s3://{BUCKET}/results/") -> dict[str, Any]:
        query_id = athena.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": DATABASE},
            ResultConfiguration={"OutputLocation": output},
        )["QueryExecutionId"]

        def ended() -> dict[str, Any] | None:
            execution: dict[str, Any] = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
            return execution if execution["Status"]["State"] not in ("QUEUED", "RUNNING") else None

        finished: dict[str, Any] = until(ended)
        return finished

    return query


def reason(execution: dict[str, Any]) -> str:
    assert execution["Status"]["State"] == "FAILED", execution
    return str(execution["Status"]["StateChangeReason"])


def rows(cloud: LaptopCloud, execution: dict[str, Any]) -> list[list[str | None]]:
    assert execution["Status"]["State"] == "SUCCEEDED", execution
    answer = cloud.client("athena").get_query_results(QueryExecutionId=execution["QueryExecutionId"])
    return [[item.get("VarCharValue") for item in row["Data"]] for row in answer["ResultSet"]["Rows"][1:]]


def table(cloud: LaptopCloud, name: str, serde: str, *, location: str = "", **more: Any) -> None:
    storage = {
        "Columns": [{"Name": "n", "Type": "bigint"}],
        "Location": location if location else f"s3://{BUCKET}/{name}/",
        "SerdeInfo": {"SerializationLibrary": serde} if serde else {},
    }
    definition = {"Name": name, "StorageDescriptor": storage, "TableType": "EXTERNAL_TABLE", **more}
    cloud.client("glue").create_table(DatabaseName=DATABASE, TableInput=definition)


def put(cloud: LaptopCloud, key: str, body: bytes) -> None:
    cloud.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)


def parquet(*values: int) -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame({"n": list(values)}).write_parquet(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "serde", "parameters", "said"),
    [
        ("comma", CSV, {}, CSV),
        ("named_csv", PARQUET, {"classification": "csv"}, "csv"),
        ("berg", PARQUET, {"table_type": "ICEBERG", "classification": "parquet"}, "iceberg"),
        ("formless", "", {}, "an unknown format"),
    ],
)
def test_a_table_of_a_format_that_is_not_read_here_is_refused_by_its_format(
    name: str, serde: str, parameters: dict[str, str], said: str, laptop_cloud: LaptopCloud, run: Run
) -> None:
    table(laptop_cloud, name, serde, Parameters=parameters)
    expected = f"NOT_SUPPORTED: the laptop cloud reads tables of parquet and json, not of {said}"
    assert reason(run(f"SELECT * FROM {name}")) == expected


@pytest.mark.parametrize(("name", "line"), [("torn", b'{"n": 1'), ("listed", b'["n", 1]')])
def test_a_line_that_is_no_object_fails_the_query(name: str, line: bytes, laptop_cloud: LaptopCloud, run: Run) -> None:
    table(laptop_cloud, name, JSON)
    put(laptop_cloud, f"{name}/a.json", b'{"n": 1}\n' + line + b"\n")
    assert reason(run(f"SELECT * FROM {name}")).startswith("HIVE_CURSOR_ERROR: Row is not a valid JSON Object - ")


def test_a_file_beside_the_partitions_is_not_read(laptop_cloud: LaptopCloud, run: Run) -> None:
    keys = [{"Name": "day", "Type": "string"}]
    table(laptop_cloud, "beside", PARQUET, PartitionKeys=keys)
    put(laptop_cloud, "beside/day=1/a.parquet", parquet(1))
    put(laptop_cloud, "beside/stray.parquet", parquet(2))
    storage = {"Location": f"s3://{BUCKET}/beside/day=1/", "SerdeInfo": {"SerializationLibrary": PARQUET}}
    laptop_cloud.client("glue").create_partition(
        DatabaseName=DATABASE, TableName="beside", PartitionInput={"Values": ["1"], "StorageDescriptor": storage}
    )
    assert rows(laptop_cloud, run("SELECT n, day FROM beside")) == [["1", "1"]]


def test_a_table_in_a_bucket_that_is_gone_cannot_be_listed(laptop_cloud: LaptopCloud, run: Run) -> None:
    table(laptop_cloud, "homeless", PARQUET, location="s3://no-such-bucket/rows/")
    said = reason(run("SELECT * FROM homeless"))
    assert said == "PERMISSION_DENIED: Access denied when listing s3://no-such-bucket/rows/"


def test_results_without_a_bucket_fail_the_query(run: Run) -> None:
    said = reason(run("SELECT 1", "s3://no-such-bucket/results/"))
    assert said.startswith("Unable to write to the output bucket no-such-bucket: ")


def test_an_output_location_is_a_folder_with_or_without_its_slash(laptop_cloud: LaptopCloud, run: Run) -> None:
    execution = run("SELECT 7 AS n", f"s3://{BUCKET}/plain")
    place = f"plain/{execution['QueryExecutionId']}.csv"
    assert execution["ResultConfiguration"]["OutputLocation"] == f"s3://{BUCKET}/{place}"
    assert laptop_cloud.client("s3").get_object(Bucket=BUCKET, Key=place)["Body"].read() == b'"n"\n"7"\n'


def test_a_statement_makes_a_table_that_the_next_query_reads(laptop_cloud: LaptopCloud, run: Run) -> None:
    made = run(
        f"CREATE EXTERNAL TABLE declared (n bigint) ROW FORMAT SERDE '{JSON}' LOCATION 's3://{BUCKET}/declared/'"
    )
    assert made["Status"]["State"] == "SUCCEEDED", made
    columns = laptop_cloud.client("glue").get_table(DatabaseName=DATABASE, Name="declared")["Table"]
    assert columns["StorageDescriptor"]["Columns"] == [{"Name": "n", "Type": "bigint"}]
    put(laptop_cloud, "declared/a.json", json.dumps({"n": 5}).encode())
    assert rows(laptop_cloud, run("SELECT n FROM declared")) == [["5"]]
