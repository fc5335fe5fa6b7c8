"""The StreamIngest example with IAM enforced: MQTT to Parquet, poison to the errors table, originals, and a replay."""

from __future__ import annotations

import base64
import gzip
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import polars as pl
import pytest

from cdk_ml_lens.local import Deployment, LaptopCloud
from ml_lens_runtime.prediction import Prediction
from tests.local.conftest import Until
from tests.local.test_examples_deploy import built

pytestmark = pytest.mark.laptop_cloud
GOOD, POISON = 40, 5


@pytest.fixture(scope="module")
def outputs(guarded: LaptopCloud) -> Iterator[dict[str, str]]:
    stack = built("stream_ingest")
    app = cdk.Stage.of(stack)
    assert app is not None
    deployment: Deployment = guarded.deploy(Path(app.synth().directory), stack.stack_name)
    yield dict(deployment.outputs)
    guarded.destroy(stack.stack_name)


def publish(cloud: LaptopCloud, device: str, payload: Any) -> None:
    body = payload if isinstance(payload, str) else json.dumps(payload)
    cloud.client("iot-data").publish(topic=f"plant/turbines/{device}/telemetry", qos=1, payload=body)


def objects(cloud: LaptopCloud, bucket: str, prefix: str) -> dict[str, bytes]:
    s3 = cloud.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def rows(cloud: LaptopCloud, bucket: str) -> pl.DataFrame:
    files = objects(cloud, bucket, "telemetry/")
    frames = [pl.read_parquet(io.BytesIO(body)) for body in files.values()]
    return pl.concat(frames) if frames else pl.DataFrame({"reading_id": []})


def refused(cloud: LaptopCloud, bucket: str) -> list[dict[str, Any]]:
    found = objects(cloud, bucket, "telemetry_errors/")
    return [json.loads(line) for body in found.values() for line in body.splitlines()]


def originals(cloud: LaptopCloud, bucket: str) -> list[bytes]:
    found = objects(cloud, bucket, "telemetry/").values()
    return [line for body in found for line in gzip.decompress(body).splitlines()]


def test_every_message_is_a_row_or_an_error_and_a_replay_brings_the_rows_back(
    guarded: LaptopCloud, outputs: dict[str, str], until: Until
) -> None:
    raw, kept = outputs["RawBucket"], outputs["OriginalsBucket"]
    now = datetime.now(UTC)
    for number in range(GOOD):
        reading = {"reading_id": f"r{number}", "timestamp": now.isoformat(), "temperature": number / 2}
        publish(guarded, f"unit-{number % 4}", reading)
    for number in range(POISON):
        publish(guarded, "unit-9", f"poison {number}")
    until(lambda: rows(guarded, raw).height == GOOD and len(refused(guarded, raw)) == POISON, seconds=60)
    until(lambda: len(originals(guarded, kept)) == GOOD + POISON, seconds=30)
    check_rows(rows(guarded, raw), now)
    check_places(guarded, raw)
    bodies = [json.loads(base64.b64decode(entry["rawData"])) for entry in refused(guarded, raw)]
    payloads = sorted(base64.b64decode(body["payload"]).decode() for body in bodies)
    assert payloads == [f"poison {number}" for number in range(POISON)]

    before = rows(guarded, raw).sort("reading_id")
    lose(guarded, raw)
    sums = replay(guarded, outputs["ReplayMachine"], now - timedelta(minutes=5), now + timedelta(minutes=5), until)
    assert (sums["listed"], sums["sent"], sums["complete"]) == (GOOD + POISON, GOOD + POISON, True)
    until(lambda: rows(guarded, raw).height == GOOD, seconds=60)
    assert rows(guarded, raw).sort("reading_id").equals(before)
    assert len(originals(guarded, kept)) == GOOD + POISON  # a replay is not backed up again


def test_athena_answers_over_rows_errors_and_predictions(
    guarded: LaptopCloud, outputs: dict[str, str], until: Until
) -> None:
    publish(guarded, "asked", {"timestamp": "2027-01-15T08:00:00.5Z", "temperature": 12.5})
    publish(guarded, "asked", "poison")
    lines = [prediction(f"p{number}", number > 0.5).line() for number in range(3)]
    records = [{"Data": f"{line}\n".encode()} for line in lines]
    guarded.client("firehose").put_record_batch(DeliveryStreamName=outputs["PredictionStream"], Records=records)
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    table = outputs["Table"]
    mine = f"{table} WHERE date = '{today}' AND device_id = 'asked'"
    until(lambda: ask(guarded, outputs, f"SELECT count(*) FROM {mine}", until) == [["1"]])
    found = ask(guarded, outputs, f"SELECT temperature, vibration, CAST(event_time AS varchar) FROM {mine}", until)
    assert found[0][:2] == ["12.5", None]
    assert str(found[0][2]).startswith("2027-01-15 08:00:00.5")
    errors = f"SELECT DISTINCT lasterrorcode, length(rawdata) > 0 FROM {table}_errors WHERE date = '{today}'"
    until(lambda: ask(guarded, outputs, errors, until) == [[None, "true"]])
    scored = f"SELECT count(*), sum(score) FROM {outputs['PredictionTable']} WHERE year = {today[:4]} AND anomaly"
    until(lambda: ask(guarded, outputs, scored, until) == [["2", "3.0"]])
    parts = f"SELECT reading, features['temperature'] FROM {outputs['PredictionTable']} WHERE prediction_id = 'p2'"
    assert ask(guarded, outputs, parts, until) == [['{"temperature": 2.0}', "2.0"]]


def test_a_data_stream_is_read_into_its_own_table(guarded: LaptopCloud, outputs: dict[str, str], until: Until) -> None:
    streams = guarded.client("kinesis").list_streams()["StreamNames"]
    (name,) = [found for found in streams if "readings" in found.lower()]
    reading = {"timestamp": "2027-01-15T08:00:00Z", "force": 3.5}
    record = {**reading, "device_id": "press-1", "received_at": 1_800_000_000_000, "trace_id": "t1"}
    guarded.client("kinesis").put_record(StreamName=name, PartitionKey="press-1", Data=json.dumps(record).encode())
    found = until(lambda: objects(guarded, outputs["RawBucket"], "presses/date=2027-01-15/device_id=press-1/"))
    (row,) = pl.read_parquet(io.BytesIO(next(iter(found.values())))).to_dicts()
    assert (row["reading_id"], row["device_id"], row["force"]) == ("t1", "press-1", 3.5)


def test_a_replay_of_a_range_without_records_is_complete_and_sends_nothing(
    guarded: LaptopCloud, outputs: dict[str, str], until: Until
) -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC)
    sums = replay(guarded, outputs["ReplayMachine"], first, first + timedelta(hours=1), until)
    assert (sums["listed"], sums["sent"], sums["complete"]) == (0, 0, True)


def prediction(id: str, anomaly: bool) -> Prediction:
    score = float(id.removeprefix("p"))
    values = {"temperature": score}
    times = {"received_at": 1_800_000_000_000, "scored_at": "2027-01-15T08:00:00.000Z"}
    model = {"endpoint": "e", "variant": "v", "model_version": "1", "latency_ms": 1.5, "threshold": 0.5}
    ids: dict[str, Any] = {"prediction_id": id, "device_id": "d", "reading_id": None, **times, **model}
    return Prediction(**ids, reading=values, features=values, score=score, anomaly=anomaly)


def ask(cloud: LaptopCloud, outputs: dict[str, str], sql: str, until: Until) -> list[list[str | None]]:
    athena = cloud.client("athena")
    id = athena.start_query_execution(QueryString=sql, WorkGroup=outputs["Workgroup"])["QueryExecutionId"]

    def ended() -> Any:
        status = athena.get_query_execution(QueryExecutionId=id)["QueryExecution"]["Status"]
        return status if status["State"] not in ("QUEUED", "RUNNING") else None

    status = until(ended)
    assert status["State"] == "SUCCEEDED", status
    found = athena.get_query_results(QueryExecutionId=id)["ResultSet"]["Rows"]
    return [[item.get("VarCharValue") for item in row["Data"]] for row in found[1:]]


def check_rows(found: pl.DataFrame, at: datetime) -> None:
    assert found.columns == ["reading_id", "device_id", "event_time", "received_at", "temperature", "vibration"]
    by_id = {row["reading_id"]: row for row in found.to_dicts()}
    assert by_id.keys() == {f"r{number}" for number in range(GOOD)}
    assert all(by_id[f"r{number}"]["temperature"] == number / 2 for number in range(GOOD))
    assert all(by_id[f"r{number}"]["device_id"] == f"unit-{number % 4}" for number in range(GOOD))
    assert all(row["vibration"] is None for row in by_id.values())
    millisecond = at.replace(microsecond=at.microsecond // 1000 * 1000, tzinfo=None)
    assert {row["event_time"].replace(tzinfo=None) for row in by_id.values()} == {millisecond}


def check_places(cloud: LaptopCloud, bucket: str) -> None:
    folders = {key.split("/")[2] for key in objects(cloud, bucket, "telemetry/")}
    assert folders == {f"device_id=unit-{number}" for number in range(4)}
    assert all("/processing-failed/" in key for key in objects(cloud, bucket, "telemetry_errors/"))


def lose(cloud: LaptopCloud, bucket: str) -> None:
    """Delete the rows, as an operator's mistake would."""
    for key in objects(cloud, bucket, "telemetry/"):
        cloud.client("s3").delete_object(Bucket=bucket, Key=key)
    assert rows(cloud, bucket).height == 0


def replay(
    cloud: LaptopCloud, machine: str, first: datetime, last: datetime, until: Callable[..., Any]
) -> dict[str, Any]:
    steps = cloud.client("stepfunctions")
    asked = json.dumps({"from": first.isoformat(), "to": last.isoformat()})
    arn = steps.start_execution(stateMachineArn=machine, input=asked)["executionArn"]

    def ended() -> Any:
        found = steps.describe_execution(executionArn=arn)
        return found if found["status"] != "RUNNING" else None

    execution = until(ended, seconds=60)
    assert execution["status"] == "SUCCEEDED", execution
    answer: dict[str, Any] = json.loads(execution["output"])
    return answer
