"""Baseline and DriftMonitor with IAM enforced: real jobs over real capture files, metrics, and an alarm."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from cdk_ml_lens import (
    Baseline,
    CaptureSource,
    DatasetSource,
    DriftMonitor,
    GroundTruth,
    QualityBound,
    QualityMonitor,
    QualityRules,
)
from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Until

pytestmark = pytest.mark.laptop_cloud
FEATURES = ("temperature", "vibration")
FOLDER = "capture/pumps/primary"


def monitored_stack() -> cdk.Stack:
    stack = cdk.Stack(cdk.App(), "Monitored")
    data = s3.Bucket(stack, "Data", encryption_key=kms.Key(stack, "Key"))
    baseline = Baseline(stack, "Baseline", datasets=DatasetSource(bucket=data))
    captures = CaptureSource(bucket=data, endpoint_name="pumps", variant_name="primary")
    monitor = DriftMonitor(stack, "Monitor", captures=captures, baseline=baseline)
    recall = QualityBound(metric="recall", bound=0.9, direction="at_least")
    quality = QualityMonitor(
        stack,
        "Quality",
        captures=captures,
        labels=GroundTruth(bucket=data),
        rules=QualityRules(bounds=[recall]),
        baseline=baseline,
    )
    queue = sqs.Queue(stack, "Queue")
    monitor.on_drift("Drifted", targets.SqsQueue(queue))
    outputs = {
        "BaselineMachine": baseline.machine.arn,
        "MonitorMachine": monitor.machine.arn,
        "QualityMachine": quality.machine.arn,
        "Bucket": data.bucket_name,
        "Reports": baseline.bucket.bucket_name,
        "MonitorName": monitor.name,
        "Alarm": monitor.drift_alarm.alarm_name,
        "QueueUrl": queue.queue_url,
    }
    for name, value in outputs.items():
        cdk.CfnOutput(stack, name, value=value)
    return stack


@pytest.fixture(scope="module")
def outputs(guarded: LaptopCloud) -> Iterator[dict[str, str]]:
    stack = monitored_stack()
    app = cdk.Stage.of(stack)
    assert app is not None
    yield dict(guarded.deploy(Path(app.synth().directory), stack.stack_name).outputs)
    guarded.destroy(stack.stack_name)


def ran(cloud: LaptopCloud, until: Until, machine: str, request: dict[str, str]) -> dict[str, Any]:
    states = cloud.client("stepfunctions")
    arn = states.start_execution(stateMachineArn=machine, input=json.dumps(request))["executionArn"]

    def ended() -> dict[str, Any] | None:
        described: dict[str, Any] = states.describe_execution(executionArn=arn)
        return described if described["status"] != "RUNNING" else None

    found: dict[str, Any] = until(ended, seconds=120)
    return found


def judged(cloud: LaptopCloud, until: Until, outputs: dict[str, str], hour: int) -> dict[str, Any]:
    """Judge the hour and return the execution's output."""
    span = {"start": f"2026-11-20T{hour:02}:00:00Z", "end": f"2026-11-20T{hour + 1:02}:00:00Z"}
    done = ran(cloud, until, outputs["MonitorMachine"], span)
    assert done["status"] == "SUCCEEDED", (done.get("error"), done.get("cause"))
    return dict(json.loads(done["output"]))


def write_dataset(cloud: LaptopCloud, bucket: str) -> str:
    chance, file = random.Random(1), io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["timestamp", *FEATURES])
    for number in range(4000):
        moment = f"2026-11-{1 + number // 1440:02}T{number // 60 % 24:02}:{number % 60:02}:00Z"
        writer.writerow([moment, chance.gauss(20, 2), chance.gauss(1, 0.1)])
    client = cloud.client("s3")
    client.put_object(Bucket=bucket, Key="datasets/one/train/part-0.csv", Body=file.getvalue())
    manifest = {
        "version": "one",
        "features": list(FEATURES),
        "splits": {split: f"s3://{bucket}/datasets/one/{split}/" for split in ("train", "validation", "test")},
    }
    client.put_object(Bucket=bucket, Key="datasets/one/dataset.json", Body=json.dumps(manifest))
    return f"s3://{bucket}/datasets/one/dataset.json"


def write_captures(cloud: LaptopCloud, bucket: str, hour: int, *, shift: float = 0.0) -> None:
    chance = random.Random(hour)
    for part in range(3):
        lines = []
        for place in range(100):
            cells = f"{chance.gauss(20 + shift, 2)},{chance.gauss(1, 0.1)}"
            asked = {"observedContentType": "text/csv", "mode": "INPUT", "data": cells, "encoding": "CSV"}
            told = {"observedContentType": "application/json", "mode": "OUTPUT", "encoding": "JSON"}
            told["data"] = json.dumps({"score": 0.5, "anomaly": place % 2 == 0})
            metadata = {"eventId": f"{hour}-{part}-{place}", "inferenceTime": f"2026-11-20T{hour:02}:{part}0:00Z"}
            record = {
                "captureData": {"endpointInput": asked, "endpointOutput": told},
                "eventMetadata": metadata,
                "eventVersion": "0",
            }
            lines.append(json.dumps(record))
        key = f"{FOLDER}/2026/11/20/{hour:02}/{part}0-00-000-aaaa{part}.jsonl"
        cloud.client("s3").put_object(Bucket=bucket, Key=key, Body="\n".join(lines))


@pytest.fixture(scope="module")
def described(guarded: LaptopCloud, outputs: dict[str, str], until: Until) -> dict[str, Any]:
    request = {"dataset": write_dataset(guarded, outputs["Bucket"])}
    return ran(guarded, until, outputs["BaselineMachine"], request)


def test_a_data_set_becomes_the_current_baseline(
    guarded: LaptopCloud, outputs: dict[str, str], described: dict[str, Any]
) -> None:
    assert described["status"] == "SUCCEEDED", (described.get("error"), described.get("cause"))
    client = guarded.client("s3")
    versioned, current = (
        client.get_object(Bucket=outputs["Reports"], Key=f"baselines/{name}/baseline.json")["Body"].read()
        for name in ("one", "current")
    )
    assert versioned == current
    assert list(json.loads(current)["features"]) == list(FEATURES)


@pytest.mark.usefixtures("described")
def test_only_the_window_that_shifted_is_drift_and_raises_the_alarm(
    guarded: LaptopCloud, outputs: dict[str, str], until: Until
) -> None:
    write_captures(guarded, outputs["Bucket"], 7)
    write_captures(guarded, outputs["Bucket"], 8, shift=2.0)
    quiet = judged(guarded, until, outputs, 7)
    assert (quiet["rows"], quiet["drifted"]) == (300, False)
    loud = judged(guarded, until, outputs, 8)
    assert (loud["rows"], loud["drifted"]) == (300, True)
    key = str(loud["report"]).split("/", 3)[3]
    report = json.loads(guarded.client("s3").get_object(Bucket=outputs["Reports"], Key=key)["Body"].read())
    assert report["window"] == {"start": "2026-11-20T08:00:00Z", "end": "2026-11-20T09:00:00Z"}
    assert {violation["feature"] for violation in report["violations"]} == {"temperature"}
    alarms = guarded.client("cloudwatch")

    def raised() -> bool:
        (alarm,) = alarms.describe_alarms(AlarmNames=[outputs["Alarm"]])["MetricAlarms"]
        return bool(alarm["StateValue"] == "ALARM")

    until(raised, seconds=60)
    told = guarded.client("sqs").receive_message(QueueUrl=outputs["QueueUrl"], WaitTimeSeconds=10)["Messages"]
    assert [json.loads(message["Body"])["detail"]["report"] for message in told] == [loud["report"]]


@pytest.mark.usefixtures("described")
def test_a_scheduled_start_judges_the_day_that_ended_ten_minutes_before_it(
    guarded: LaptopCloud, outputs: dict[str, str], until: Until
) -> None:
    write_captures(guarded, outputs["Bucket"], 11)
    done = ran(guarded, until, outputs["MonitorMachine"], {"scheduled": "2026-11-21T11:20:00Z"})
    found = json.loads(done["output"])
    assert (found["start"], found["end"]) == ("2026-11-20T11:10:00Z", "2026-11-21T11:10:00Z")
    assert found["rows"] == 200  # not the file of 11:00


@pytest.mark.usefixtures("described")
def test_an_hour_without_traffic_has_no_rows_and_no_job(
    guarded: LaptopCloud, outputs: dict[str, str], until: Until
) -> None:
    found = judged(guarded, until, outputs, 3)
    assert (found["rows"], found["drifted"]) == (0, False)


@pytest.mark.usefixtures("described")
def test_captures_that_cannot_be_read_fail_the_execution_with_the_reason(
    guarded: LaptopCloud, outputs: dict[str, str], until: Until
) -> None:
    key = f"{FOLDER}/2026/11/20/05/00-00-000-a.jsonl"
    guarded.client("s3").put_object(Bucket=outputs["Bucket"], Key=key, Body="this is no JSON\n")
    span = {"start": "2026-11-20T05:00:00Z", "end": "2026-11-20T06:00:00Z"}
    done = ran(guarded, until, outputs["MonitorMachine"], span)
    assert (done["status"], done["error"]) == ("FAILED", "JudgeFailed")
    assert "00-00-000-a.jsonl" in done["cause"]


def test_a_data_set_that_is_not_there_fails_the_baseline(
    guarded: LaptopCloud, outputs: dict[str, str], until: Until
) -> None:
    done = ran(guarded, until, outputs["BaselineMachine"], {"dataset": f"s3://{outputs['Bucket']}/datasets/none.json"})
    assert (done["status"], done["error"]) == ("FAILED", "ReadDatasetFailed")


@pytest.mark.usefixtures("described")
def test_answers_are_judged_by_labels_that_arrive_a_week_later(
    guarded: LaptopCloud, outputs: dict[str, str], until: Until
) -> None:
    write_captures(guarded, outputs["Bucket"], 13)
    span = {"start": "2026-11-20T13:00:00Z", "end": "2026-11-20T14:00:00Z"}
    early = json.loads(ran(guarded, until, outputs["QualityMachine"], span)["output"])
    assert (early["judged"], early["violated"]) == (False, False)
    lines = [
        {"groundTruthData": {"data": "1", "encoding": "CSV"}, "eventMetadata": {"eventId": f"13-{part}-{place}"}}
        for part in range(3)
        for place in range(100)
    ]
    body = "\n".join(json.dumps(line) for line in lines)
    guarded.client("s3").put_object(Bucket=outputs["Bucket"], Key="ground-truth/2026/11/27/09/a.jsonl", Body=body)
    done = ran(guarded, until, outputs["QualityMachine"], span)
    assert done["status"] == "SUCCEEDED", (done.get("error"), done.get("cause"))
    late = json.loads(done["output"])
    assert (late["rows"], late["judged"], late["violated"]) == (300, True, True)
    key = str(late["report"]).split("/", 3)[3]
    report = json.loads(guarded.client("s3").get_object(Bucket=outputs["Reports"], Key=key)["Body"].read())
    assert report["labelled"] == 300
    assert [violation["metric"] for violation in report["violations"]] == ["recall"]
