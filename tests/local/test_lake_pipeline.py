"""The ETL example runs on the laptop cloud: its jobs are processes, its tables answer Athena, Spark agrees."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from cdk_ml_lens.local import Deployment, LaptopCloud
from tests.local.conftest import Until
from tests.local.test_examples_deploy import built

pytestmark = pytest.mark.laptop_cloud
DEVICES, ROWS, SPOILED = 3, 100, 2
START = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def lake(laptop_cloud: LaptopCloud, deployed: Callable[..., Deployment]) -> dict[str, str]:
    """Return the outputs of the example, with readings of three devices in its raw table."""
    outputs = dict(deployed(built("etl_job")).outputs)
    glue = laptop_cloud.client("glue")
    tables = {
        table["Name"]: table
        for database in glue.get_databases()["DatabaseList"]
        for table in glue.get_tables(DatabaseName=database["Name"])["TableList"]
        if database["Name"].startswith("etl")
    }
    for number in range(DEVICES):
        put(laptop_cloud, tables["telemetry"]["StorageDescriptor"]["Location"], f"unit-{number}")
    return {**outputs, **{name: f"{table['DatabaseName']}.{name}" for name, table in tables.items()}}


def put(cloud: LaptopCloud, location: str, device: str) -> None:
    """Write the readings of a device as Firehose would; the last ones are beyond the sensor's range."""
    times = [START + timedelta(seconds=30 * number) for number in range(ROWS)]
    values = [20.0 + number % 7 for number in range(ROWS - SPOILED)] + [999.0] * SPOILED
    at = [time.replace(tzinfo=None) for time in times]
    frame = pl.DataFrame(
        {
            "reading_id": [f"{device}-{number}" for number in range(ROWS)],
            "device_id": [device] * ROWS,
            "event_time": pl.Series(at, dtype=pl.Datetime("ms")),
            "received_at": pl.Series(at, dtype=pl.Datetime("ms")),
            "temperature": values,
        }
    )
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    key = f"{prefix}date={START:%Y-%m-%d}/device_id={device}/1.parquet"
    cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=buffer.getvalue())


def count(cloud: LaptopCloud, until: Until, table: str) -> int:
    athena = cloud.client("athena")
    group = next(item["Name"] for item in athena.list_work_groups()["WorkGroups"] if item["Name"].startswith("etl"))
    query = athena.start_query_execution(QueryString=f"SELECT count(*) FROM {table}", WorkGroup=group)

    def ended() -> dict[str, Any] | None:
        status = athena.get_query_execution(QueryExecutionId=query["QueryExecutionId"])["QueryExecution"]["Status"]
        return dict(status) if status["State"] not in ("QUEUED", "RUNNING") else None

    assert until(ended)["State"] == "SUCCEEDED"
    rows = athena.get_query_results(QueryExecutionId=query["QueryExecutionId"])["ResultSet"]["Rows"]
    return int(rows[1]["Data"][0]["VarCharValue"])


def test_the_pipeline_publishes_each_table_and_every_row_is_accounted_for(
    laptop_cloud: LaptopCloud, lake: dict[str, str], until: Until
) -> None:
    states = laptop_cloud.client("stepfunctions")
    execution = states.start_execution(stateMachineArn=lake["MachineArn"])["executionArn"]

    def ended() -> dict[str, Any] | None:
        described: dict[str, Any] = states.describe_execution(executionArn=execution)
        return described if described["status"] != "RUNNING" else None

    described = until(ended, seconds=180)
    assert described["status"] == "SUCCEEDED", described
    good = DEVICES * (ROWS - SPOILED)
    assert count(laptop_cloud, until, lake["telemetry"]) == DEVICES * ROWS
    published = {name for name in lake if "readings" in name or "features" in name}
    assert published
    assert {name: count(laptop_cloud, until, lake[name]) for name in published} == dict.fromkeys(published, good)


@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java 17")
def test_a_spark_job_runs_real_spark(laptop_cloud: LaptopCloud, lake: dict[str, str], until: Until) -> None:
    glue, name = laptop_cloud.client("glue"), lake["JobName"]
    run_id = glue.start_job_run(JobName=name)["JobRunId"]

    def ended() -> dict[str, Any] | None:
        run: dict[str, Any] = glue.get_job_run(JobName=name, RunId=run_id)["JobRun"]
        return run if run["JobRunState"] in ("SUCCEEDED", "FAILED", "TIMEOUT") else None

    run = until(ended, seconds=600)
    assert run["JobRunState"] == "SUCCEEDED", run
    assert count(laptop_cloud, until, lake["archive"]) == DEVICES * (ROWS - SPOILED)
    events = laptop_cloud.client("logs").get_log_events(
        logGroupName=f"{run['LogGroupName']}/output", logStreamName=run_id
    )["events"]
    accounting = json.loads(events[-1]["message"])
    assert (accounting["in"], accounting["out"]) == (DEVICES * ROWS, DEVICES * (ROWS - SPOILED))
    database, _, table = lake["archive"].partition(".")
    found = glue.get_table(DatabaseName=database, Name=table)["Table"]["StorageDescriptor"]["Location"]
    bucket, _, key = found.removeprefix("s3://").partition("/")
    manifest = f"{key.split('version=')[0]}_versions/{accounting['version']}.json"
    said = json.loads(laptop_cloud.client("s3").get_object(Bucket=bucket, Key=manifest)["Body"].read())
    assert said["engine"] == "spark"
