"""The loop's stack on a laptop cloud: readings for its lake, requests for its endpoint, and what became of them."""

from __future__ import annotations

import csv
import functools
import io
import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import polars as pl

from cdk_ml_lens.local import LaptopCloud
from stacks.mlops_loop import TURBINE, MlopsLoopStack
from tests import waiting

CONTEXT = {
    "approval": "automatic",
    "causes": "",
    "bake_minutes": 1,
    "monitor_rows": 100,
    "monitor_delay_minutes": 0,
    "cool_down_minutes": 0,
    "minimum_new_rows": 100,
    "look_minutes": 1,
    "most_alerts": 0.5,
}
MEANS = {"temperature": 70.0, "vibration": 2.0, "pressure": 8.0, "rotation_speed": 1500.0}
SPREADS = {"temperature": 2.0, "vibration": 0.2, "pressure": 0.3, "rotation_speed": 30.0}
DEVICES = 4
STEP_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Loop:
    """The deployed stack; every question is asked of AWS's own calls."""

    cloud: LaptopCloud
    outputs: dict[str, str]

    @classmethod
    def deploy(cls, cloud: LaptopCloud, folder: Path) -> Loop:
        app = cdk.App(outdir=str(folder), context=CONTEXT)
        stack = MlopsLoopStack(app, "MlopsLoop")
        app.synth()
        return cls(cloud=cloud, outputs=dict(cloud.deploy(folder, stack.stack_name).outputs))

    def send(self, *, start: datetime, rows: int, shift: float = 0.0) -> None:
        """Write readings into the raw table as `StreamIngest` would; a shift is in standard deviations of a sensor."""
        table = self.cloud.client("glue").get_table(DatabaseName=self._raw[0], Name=self._raw[1])["Table"]
        bucket, _, prefix = table["StorageDescriptor"]["Location"].removeprefix("s3://").partition("/")
        for number in range(DEVICES):
            body, device = io.BytesIO(), f"unit-{number}"
            readings(device, start=start, rows=rows, shift=shift).write_parquet(body)
            key = f"{prefix}date={start:%Y-%m-%d}/device_id={device}/{start:%H%M%S}.parquet"
            self.cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=body.getvalue())

    @property
    def _raw(self) -> tuple[str, str]:
        database, _, name = self.outputs["TelemetryTable"].partition(".")
        return database, name

    def ask_to_train(self, id: str) -> dict[str, Any]:
        """Ask for a run by hand."""
        event = json.dumps({"cause": "manual", "id": id, "reason": "test"}).encode()
        answer = self.cloud.client("lambda").invoke(FunctionName=self.outputs["RetrainingFunction"], Payload=event)
        found: dict[str, Any] = json.loads(answer["Payload"].read())
        return found

    def runs(self, output: str) -> list[dict[str, Any]]:
        """Return the executions of a machine, oldest first."""
        client = self.cloud.client("stepfunctions")
        found = client.list_executions(stateMachineArn=self.outputs[output])["executions"]
        described = [client.describe_execution(executionArn=one["executionArn"]) for one in found]
        return sorted(described, key=lambda one: one["startDate"])

    def manifest(self) -> dict[str, Any]:
        """Return the newest dataset's manifest."""
        key = f"{self.outputs['DatasetPrefix']}current.json"
        body = self.cloud.client("s3").get_object(Bucket=self.outputs["DatasetBucketName"], Key=key)["Body"]
        found: dict[str, Any] = json.loads(body.read())
        return found

    def rows(self, split: str) -> list[list[float]]:
        """Return the newest dataset's features of a split."""
        client = self.cloud.client("s3")
        bucket, _, prefix = self.manifest()["splits"][split].removeprefix("s3://").partition("/")
        found: list[list[float]] = []
        for item in client.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]:
            text = client.get_object(Bucket=bucket, Key=item["Key"])["Body"].read().decode()
            found += [[float(cell) for cell in line[1:]] for line in list(csv.reader(io.StringIO(text)))[1:]]
        return found

    def score(self, rows: list[list[float]]) -> list[dict[str, Any]]:
        """Score rows, ten a request."""
        client, answers = self.cloud.client("sagemaker-runtime"), list[dict[str, Any]]()
        for first in range(0, len(rows), 10):
            body = "".join(json.dumps({"features": row}) + "\n" for row in rows[first : first + 10])
            answer = client.invoke_endpoint(
                EndpointName=self.outputs["EndpointName"],
                ContentType="application/jsonlines",
                Accept="application/jsonlines",
                Body=body,
            )
            answers += [json.loads(line) for line in answer["Body"].read().decode().splitlines()]
        return answers

    def serves(self) -> str | None:
        """Return the version that the endpoint answers with; None while there is none, or an update is on."""
        client = self.cloud.client("sagemaker")
        name = self.outputs["EndpointName"]
        found = [one for one in client.list_endpoints(NameContains=name)["Endpoints"] if one["EndpointName"] == name]
        if not found or found[0]["EndpointStatus"] != "InService":
            return None
        (answer,) = self.score([[1.0] * len(self.manifest()["features"])])
        return str(answer["model_version"])

    def judge(self, start: datetime, end: datetime) -> str:
        """Judge a window of traffic; return the execution."""
        span = {name: f"{moment:%Y-%m-%dT%H:%M:%SZ}" for name, moment in (("start", start), ("end", end))}
        client = self.cloud.client("stepfunctions")
        answer = client.start_execution(stateMachineArn=self.outputs["MonitorArn"], input=json.dumps(span))
        return str(answer["executionArn"])

    def has_baseline(self) -> bool:
        found = self.cloud.client("s3").list_objects_v2(
            Bucket=self.outputs["ReportBucketName"], Prefix="baselines/current/"
        )
        return bool(found["KeyCount"])

    def retraining(self) -> dict[str, Any]:
        """Return where retraining stands."""
        tables = self.cloud.client("dynamodb").list_tables()["TableNames"]
        (table,) = [name for name in tables if "RetrainingStoreTable" in name]
        item = self.cloud.client("dynamodb").get_item(TableName=table, Key={"id": {"S": "retraining"}}).get("Item")
        found: dict[str, Any] = {} if item is None else json.loads(item["state"]["S"])
        return found

    def alarm(self) -> str:
        """Return the state of the drift alarm."""
        found = self.cloud.client("cloudwatch").describe_alarms(AlarmNames=[self.outputs["DriftAlarmName"]])
        return str(found["MetricAlarms"][0]["StateValue"])


def readings(device: str, *, start: datetime, rows: int, shift: float) -> pl.DataFrame:
    """Return readings of a device, the same values in every run: a monitor has a rate of false alarms."""
    chance = random.Random(f"{device} {shift}")
    times = [start + timedelta(seconds=STEP_SECONDS * place) for place in range(rows)]
    columns: dict[str, list[Any]] = {
        "reading_id": [f"{device}-{start:%H%M%S}-{place}" for place in range(rows)],
        "device_id": [device] * rows,
        "event_time": times,
        "received_at": [moment + timedelta(seconds=1) for moment in times],
    }
    for name in TURBINE:
        columns[name] = [chance.gauss(MEANS[name] + shift * SPREADS[name], SPREADS[name]) for _ in range(rows)]
    moment = pl.Datetime("ms", "UTC")
    return pl.DataFrame(columns, schema_overrides={"event_time": moment, "received_at": moment})


def ago(**span: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(**span)


wait = functools.partial(waiting.until, seconds=120.0)
