"""LakePipeline with IAM enforced: real jobs publish features, one version per input; bad data is refused."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import polars as pl
import pytest
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs

from cdk_ml_lens import (
    Column,
    DataLake,
    FeatureSet,
    LakePipeline,
    Partition,
    QualityGate,
    QualityRule,
    Sensor,
    Table,
)
from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Until

pytestmark = pytest.mark.laptop_cloud
START = datetime(2026, 11, 20, 12, tzinfo=UTC)
DEVICES = ("d1", "d2")
ROWS = 50
RULE = QualityRule.mean_between("temperature", 0, 40)
TYPES = {"reading_id": "string", "device_id": "string", "event_time": "timestamp", "received_at": "timestamp"}


def pipeline_stack() -> cdk.Stack:
    stack = cdk.Stack(cdk.App(), "Prepared")
    lake = DataLake(stack, "Lake")
    columns = [Column(name=name, type=type) for name, type in {**TYPES, "temperature": "double"}.items()]
    telemetry = lake.add_table(Table(name="telemetry", columns=columns, partitions=[Partition.date()]))
    pipeline = LakePipeline(
        stack,
        "Pipeline",
        lake=lake,
        source=telemetry,
        feature_set=FeatureSet.standard(sensors=[Sensor(name="temperature", minimum=-40, maximum=125)]),
        quality=QualityGate(rules=[RULE], max_quarantined_share=0.1),
    )
    queue = sqs.Queue(stack, "Queue")
    pipeline.jobs[0].on_refused("Refused", targets.SqsQueue(queue))
    outputs = {
        "Machine": pipeline.machine.arn,
        "Raw": telemetry.bucket.bucket_name,
        "Modelled": pipeline.modelled.bucket.bucket_name,
        "Parameters": pipeline.parameters_bucket.bucket_name,
        "ParametersKey": pipeline.parameters_key,
        "Database": pipeline.features.database_name,
        "Refusals": queue.queue_url,
    }
    for name, value in outputs.items():
        cdk.CfnOutput(stack, name, value=value)
    return stack


@pytest.fixture(scope="module")
def outputs(guarded: LaptopCloud) -> Iterator[dict[str, str]]:
    stack = pipeline_stack()
    app = cdk.Stage.of(stack)
    assert app is not None
    yield dict(guarded.deploy(Path(app.synth().directory), stack.stack_name).outputs)
    guarded.destroy(stack.stack_name)


def send(cloud: LaptopCloud, bucket: str, device: str, *, name: str, value: float, start: datetime = START) -> None:
    """Write readings of a device as `StreamIngest` would; one of them is out of range."""
    times = [start + timedelta(seconds=30 * place) for place in range(ROWS)]
    rows = {
        "reading_id": [f"{device}-{name}-{place}" for place in range(ROWS)],
        "device_id": [device] * ROWS,
        "event_time": times,
        "received_at": [time + timedelta(seconds=1) for time in times],
        "temperature": [value + place % 5 for place in range(ROWS - 1)] + [500.0],
    }
    moment = pl.Datetime("ms", "UTC")
    body = io.BytesIO()
    pl.DataFrame(rows, schema_overrides={"event_time": moment, "received_at": moment}).write_parquet(body)
    key = f"telemetry/date={start:%Y-%m-%d}/device_id={device}/{name}.parquet"
    cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=body.getvalue())


def run(cloud: LaptopCloud, machine: str, until: Until) -> dict[str, Any]:
    states = cloud.client("stepfunctions")
    arn = states.start_execution(stateMachineArn=machine, input="{}")["executionArn"]

    def ended() -> dict[str, Any] | None:
        execution: dict[str, Any] = states.describe_execution(executionArn=arn)
        return None if execution["status"] == "RUNNING" else execution

    found: dict[str, Any] = until(ended, seconds=240)
    return found


def location(cloud: LaptopCloud, database: str) -> str:
    table = cloud.client("glue").get_table(DatabaseName=database, Name="features")["Table"]
    return str(table["StorageDescriptor"]["Location"])


def published(cloud: LaptopCloud, uri: str) -> pl.DataFrame:
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    s3 = cloud.client("s3")
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]
    bodies = [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys if key.endswith(".parquet")]
    return pl.concat([pl.read_parquet(io.BytesIO(body)) for body in bodies])


def test_readings_become_features_once_and_a_bad_batch_changes_nothing(
    guarded: LaptopCloud, outputs: dict[str, str], until: Until
) -> None:
    for device in DEVICES:
        send(guarded, outputs["Raw"], device, name="a", value=20.0)
    first = run(guarded, outputs["Machine"], until)
    assert first["status"] == "SUCCEEDED", first.get("cause")
    version = location(guarded, outputs["Database"])
    features = published(guarded, version)
    assert len(features) == len(DEVICES) * (ROWS - 1)  # one of each device was out of range
    assert features["temperature_mean_300s"].null_count() == 0
    assert set(features["split"]) == {"train", "validation", "test"}
    s3 = guarded.client("s3")
    parameters = json.load(s3.get_object(Bucket=outputs["Parameters"], Key=outputs["ParametersKey"])["Body"])
    assert parameters["method"] == "none"

    assert run(guarded, outputs["Machine"], until)["status"] == "SUCCEEDED"
    assert location(guarded, outputs["Database"]) == version

    send(guarded, outputs["Raw"], "d1", name="b", value=115.0, start=START + timedelta(hours=1))
    refused = run(guarded, outputs["Machine"], until)
    assert (refused["status"], refused["error"]) == ("FAILED", "CleanRefused"), refused["cause"]
    assert "mean" in refused["cause"].lower()
    assert location(guarded, outputs["Database"]) == version
    assert published(guarded, version).equals(features)
    kept = s3.list_objects_v2(Bucket=outputs["Modelled"], Prefix="_quarantine/readings/batch/")["Contents"]
    (note,) = [item["Key"] for item in kept if item["Key"].endswith("_failed.json")]
    failed = json.load(s3.get_object(Bucket=outputs["Modelled"], Key=note)["Body"])["failed_rules"]
    assert RULE.text in failed
    queue = guarded.client("sqs")
    messages = until(lambda: queue.receive_message(QueueUrl=outputs["Refusals"]).get("Messages"))
    assert json.loads(messages[0]["Body"])["detail"]["failed_rules"] == failed


def test_of_many_starts_one_works_one_waits_and_the_rest_is_covered(
    guarded: LaptopCloud, outputs: dict[str, str], until: Until
) -> None:
    states = guarded.client("stepfunctions")
    arns = [states.start_execution(stateMachineArn=outputs["Machine"], input="{}")["executionArn"] for _ in range(4)]

    def path(arn: str) -> list[str]:
        events = states.get_execution_history(executionArn=arn, maxResults=100)["events"]
        return [event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event]

    def decided() -> list[list[str]] | None:
        paths = [path(arn) for arn in arns]
        known = [names for names in paths if {"Covered", "Wait", "Clean"} & set(names)]
        return paths if len(known) == len(arns) else None

    paths = until(decided, seconds=60)
    for arn in arns:
        if states.describe_execution(executionArn=arn)["status"] == "RUNNING":
            states.stop_execution(executionArn=arn)
    assert ["Clean" in names and "Wait" not in names for names in paths].count(True) == 1
    assert ["Covered" in names for names in paths].count(True) >= 1
