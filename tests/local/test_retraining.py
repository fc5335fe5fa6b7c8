"""Retraining with IAM enforced: a manifest arrives, an alarm goes off, a person asks; one run at a time, none lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_ml_lens import DatasetSource, Retraining, RetrainingCause, RetrainingPolicy
from cdk_ml_lens.core.machine import DefinedMachine
from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import TIME_SCALE

pytestmark = pytest.mark.laptop_cloud
RUN_SECONDS = 4 * TIME_SCALE  # what is told during a run must arrive during it, on a busy machine too


class FakePipeline(Construct):
    """A pipeline whose machine waits and succeeds."""

    def __init__(self, scope: Construct, id: str, key: kms.IKey) -> None:
        super().__init__(scope, id)
        states = {"Wait": {"Type": "Wait", "Seconds": RUN_SECONDS, "Next": "Done"}, "Done": {"Type": "Succeed"}}
        self.machine = DefinedMachine(
            self, "Machine", definition={"StartAt": "Wait", "States": states}, encryption_key=key
        )


@pytest.fixture(scope="module")
def outputs(guarded: LaptopCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("assembly")
    app = cdk.App(outdir=str(folder))
    stack = cdk.Stack(app, "Retrained")
    key = kms.Key(stack, "Key")
    lake = s3.Bucket(stack, "Lake", encryption_key=key, event_bridge_enabled=True)
    pipeline, preparation = FakePipeline(stack, "Training", key), FakePipeline(stack, "Preparation", key)
    errors = cloudwatch.Metric(namespace="Turbines", metric_name="WrongAlerts", statistic="Sum")
    alarm = errors.create_alarm(stack, "Complaints", threshold=20, evaluation_periods=1)
    retraining = Retraining(
        stack,
        "Retraining",
        pipeline=pipeline,
        datasets=DatasetSource(bucket=lake),
        causes=[RetrainingCause.new_data(), RetrainingCause.drift(alarm)],
        policy=RetrainingPolicy(cool_down_minutes=0, minimum_new_rows=100, look_minutes=1),
        preparation=preparation,
    )
    values = {
        "Lake": lake.bucket_name,
        "Training": pipeline.machine.arn,
        "Preparation": preparation.machine.arn,
        "Alarm": alarm.alarm_name,
        "Function": retraining.handler.function.function_name,
        "Table": retraining.store.table.table_name,
        "Dead": retraining.store.dead_letters.queue_url,
    }
    for name, value in values.items():
        cdk.CfnOutput(stack, f"Out{name}", value=value)
    app.synth()
    found = guarded.deploy(Path(folder), "Retrained").outputs
    yield {name.removeprefix("Out"): value for name, value in found.items()}
    guarded.destroy("Retrained")


def publish(cloud: LaptopCloud, outputs: dict[str, str], version: str, rows: int) -> None:
    body = json.dumps({"version": version, "rows": {"train": rows}})
    for key in ("datasets/current.json", f"datasets/{version}/dataset.json"):
        cloud.client("s3").put_object(Bucket=outputs["Lake"], Key=key, Body=body)


def runs(cloud: LaptopCloud, machine: str) -> list[dict[str, Any]]:
    """Return the executions, oldest first, with their inputs."""
    client = cloud.client("stepfunctions")
    found = client.list_executions(stateMachineArn=machine)["executions"]
    described = [client.describe_execution(executionArn=one["executionArn"]) for one in found]
    return sorted(described, key=lambda one: one["startDate"])


def state(cloud: LaptopCloud, outputs: dict[str, str]) -> dict[str, Any]:
    key = {"id": {"S": "retraining"}}
    item = cloud.client("dynamodb").get_item(TableName=outputs["Table"], Key=key).get("Item")
    found: dict[str, Any] = {} if item is None else json.loads(item["state"]["S"])
    return found


def raised(cloud: LaptopCloud, alarm: str) -> bool:
    """Keep the alarm up: without data it returns by itself, and drift of an alarm that fell is let go."""
    watch = cloud.client("cloudwatch")
    (found,) = watch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
    if found["StateValue"] != "ALARM":
        watch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="test")
    return True


def idle(cloud: LaptopCloud, outputs: dict[str, str], count: int) -> Callable[[], bool]:
    """Return a probe: so many training runs, none on, nothing waits."""

    def probe() -> bool:
        found = state(cloud, outputs)
        at_rest = bool(found) and found["run"] is None and not found["waiting"]
        return at_rest and len(runs(cloud, outputs["Training"])) == count

    return probe


def test_causes_start_runs_one_after_the_other(
    guarded: LaptopCloud, outputs: dict[str, str], until: Callable[..., Any]
) -> None:
    publish(guarded, outputs, "v1", 1000)
    until(lambda: runs(guarded, outputs["Training"]), seconds=120)
    publish(guarded, outputs, "v2", 1200)
    publish(guarded, outputs, "v3", 1400)
    until(idle(guarded, outputs, 2), seconds=240)
    first, second = runs(guarded, outputs["Training"])
    assert first["stopDate"] <= second["startDate"]
    assert json.loads(second["input"])["dataset"].endswith("/datasets/v3/dataset.json")
    assert runs(guarded, outputs["Preparation"]) == []

    publish(guarded, outputs, "v4", 1450)
    until(lambda: raised(guarded, outputs["Alarm"]) and runs(guarded, outputs["Preparation"]), seconds=120)
    publish(guarded, outputs, "v5", 1600)
    until(idle(guarded, outputs, 3), seconds=240)
    third = json.loads(runs(guarded, outputs["Training"])[2]["input"])
    assert third["dataset"].endswith("/datasets/v5/dataset.json")
    assert third["cause"].startswith(f"drift: alarm {outputs['Alarm']}")

    event = {"cause": "manual", "id": "ticket", "dataset": third["dataset"]}
    for known in (False, True):
        answer = guarded.client("lambda").invoke(FunctionName=outputs["Function"], Payload=json.dumps(event).encode())
        assert json.loads(answer["Payload"].read())["known"] is known
    until(idle(guarded, outputs, 4), seconds=120)
    queue = guarded.client("sqs").get_queue_attributes(QueueUrl=outputs["Dead"], AttributeNames=["All"])
    assert queue["Attributes"]["ApproximateNumberOfMessages"] == "0"
