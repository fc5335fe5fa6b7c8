"""A stack with one endpoint of good and bad variants, its traffic shifts, and a client that never stops asking."""

from __future__ import annotations

import io
import json
import tarfile
import threading
import time
from collections import Counter
from dataclasses import replace
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from botocore.exceptions import ClientError

from cdk_ml_lens import (
    AnswerCheck,
    ModelArtifact,
    ModelEndpoint,
    ModelSource,
    ShiftChecks,
    ShiftPlan,
    SyntheticRequest,
    TrafficShift,
    Variant,
    VariantComparison,
)
from cdk_ml_lens.local import LaptopCloud

ENDPOINT = "shifted"
SECOND = 1 / 60  # in minutes
PROGRAM = """
import json
def model_fn(model_dir): return model_dir
def input_fn(body, content_type): return json.loads(body)
def predict_fn(data, model): return {"score": sum(data["features"]), "model_version": "1"}
def output_fn(prediction, accept): return json.dumps(prediction), accept
"""
# Green is good. Red answers with an error half of the time, pink gives wrong numbers, snail is slow.
VARIANTS: dict[str, dict[str, str]] = {
    "blue": {},
    "green": {},
    "red": {"ML_LENS_FAULT_ERROR_RATE": "0.5"},
    "pink": {"ML_LENS_FAULT_WRONG_RATE": "1"},
    "snail": {"ML_LENS_FAULT_LATENCY_MS": "400"},
}
SHIFTS = ("BlueGreen", "Canary", "Slow", "Empty")
TEST = SyntheticRequest(
    body={"features": [0.25, 0.5]}, expect=AnswerCheck(path="score", minimum=0, maximum=1), accept="application/json"
)


def upload_model(cloud: LaptopCloud) -> None:
    """Put the artifact of all variants into the bucket ``shift-models``."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as bundle:
        entry = tarfile.TarInfo("code/inference.py")
        entry.size = len(PROGRAM)
        bundle.addfile(entry, io.BytesIO(PROGRAM.encode()))
    client = cloud.client("s3")
    client.create_bucket(Bucket="shift-models")
    client.put_object(Bucket="shift-models", Key="model.tar.gz", Body=packed.getvalue())


def build(app: cdk.App) -> cdk.Stack:
    """Build endpoint and shifts: ``BlueGreen``, ``Canary`` with an alarm, ``Slow`` whose bake takes 4 s."""
    stack = cdk.Stack(app, "Shifting")
    bucket = s3.Bucket.from_bucket_name(stack, "Models", "shift-models")
    source = ModelSource.sklearn(ModelArtifact.from_bucket(bucket, "model.tar.gz"))
    endpoint = ModelEndpoint(
        stack,
        "Endpoint",
        endpoint_name=ENDPOINT,
        capture=None,
        variants=[
            Variant(
                name=name,
                model=replace(source, environment={**source.environment, **faults}),
                weight=1 if name == "blue" else 0,
            )
            for name, faults in VARIANTS.items()
        ],
    )
    complaints = cloudwatch.Metric(
        namespace="Business", metric_name="Complaints", statistic="Maximum", period=cdk.Duration.seconds(10)
    )
    alarm = complaints.create_alarm(
        stack,
        "Complaints",
        threshold=1,
        evaluation_periods=1,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
    comparison = VariantComparison(minimum_requests=20, error_margin=0.05, latency_ratio=2, latency_slack_ms=200)
    checks = ShiftChecks(requests=(TEST,), repeats=5, max_latency_ms=1500, comparison=comparison)
    shifts = {
        "BlueGreen": (ShiftPlan.blue_green(bake_minutes=2 * SECOND, retire_instances=1), checks),
        "Canary": (ShiftPlan.canary(steps=(10, 100), bake_minutes=2 * SECOND), replace(checks, requests=())),
        "Slow": (ShiftPlan.canary(steps=(20, 40, 100), bake_minutes=3 * SECOND), replace(checks, requests=())),
        "Empty": (ShiftPlan.canary(bake_minutes=SECOND, extra_bakes=1), replace(checks, requests=())),
    }
    for name, (plan, wanted) in shifts.items():
        shift = TrafficShift(stack, name, endpoint=endpoint, plan=plan, checks=wanted, alarms=[alarm])
        queue = sqs.Queue(stack, f"{name}Decisions")
        shift.on_decision(f"{name}Told", targets.SqsQueue(queue))
        cdk.CfnOutput(stack, f"{name}Arn", value=shift.machine.arn)
        cdk.CfnOutput(stack, f"{name}Queue", value=queue.queue_url)
        cdk.CfnOutput(stack, f"{name}Table", value=shift.table.table_name)
    cdk.CfnOutput(stack, "Alarm", value=alarm.alarm_name)
    return stack


class Traffic:
    """Invokes the endpoint all the time, in threads; counts answers by variant and failures."""

    def __init__(self, cloud: LaptopCloud, *, callers: int = 2) -> None:
        self.by_variant: Counter[str] = Counter()
        self.failed = 0
        self._runtime = cloud.client("sagemaker-runtime")
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(callers)]

    def __enter__(self) -> Traffic:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(10)

    def _ask(self) -> None:
        while not self._stop.wait(0.02):
            try:
                answer = self._runtime.invoke_endpoint(
                    EndpointName=ENDPOINT, Body=b'{"features": [0.1]}', ContentType="application/json"
                )
            except ClientError:
                with self._lock:
                    self.failed += 1
            else:
                with self._lock:
                    self.by_variant[answer["InvokedProductionVariant"]] += 1


class Shift:
    """One deployed traffic shift."""

    def __init__(self, cloud: LaptopCloud, outputs: dict[str, str], name: str) -> None:
        self._cloud = cloud
        self._states = cloud.client("stepfunctions")
        self.arn, self.queue, self.table = (outputs[f"{name}{part}"] for part in ("Arn", "Queue", "Table"))

    def start(self, **request: Any) -> str:
        """Start an execution and return its ARN."""
        return str(self._states.start_execution(stateMachineArn=self.arn, input=json.dumps(request))["executionArn"])

    def result(self, execution: str, *, seconds: float = 60) -> dict[str, Any]:
        """Wait for the end of an execution and return its description."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            described: dict[str, Any] = self._states.describe_execution(executionArn=execution)
            if described["status"] != "RUNNING":
                return described
            time.sleep(0.1)
        raise AssertionError(f"{execution} still runs after {seconds} s: {self.states(execution)}")

    def run(self, **request: Any) -> dict[str, Any]:
        """Start an execution and wait for its end."""
        return self.result(self.start(**request))

    def stop(self, execution: str) -> None:
        """Kill an execution."""
        self._states.stop_execution(executionArn=execution, error="Killed", cause="by the test")

    def states(self, execution: str) -> list[str]:
        """Return the names of the states that the history says were entered."""
        pages = self._states.get_paginator("get_execution_history").paginate(executionArn=execution)
        return [
            event["stateEnteredEventDetails"]["name"]
            for page in pages
            for event in page["events"]
            if "stateEnteredEventDetails" in event
        ]

    def now(self, execution: str) -> str:
        """Return the state that an execution has entered last."""
        return (self.states(execution) or [""])[-1]

    def claim(self) -> dict[str, str]:
        """Return the claim on the endpoint, its values as texts."""
        found = self._cloud.client("dynamodb").get_item(TableName=self.table, Key={"id": {"S": ENDPOINT}})
        return {name: next(iter(value.values())) for name, value in found.get("Item", {}).items()}

    def decisions(self, execution: str) -> list[dict[str, Any]]:
        """Return the details of the events about an execution."""
        client = self._cloud.client("sqs")
        found = []
        while messages := client.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"])["detail"])
                client.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return [detail for detail in found if detail["execution"] == execution]


def weights(cloud: LaptopCloud) -> dict[str, float]:
    """Return the weights that the endpoint has now, without the zeros."""
    described = cloud.client("sagemaker").describe_endpoint(EndpointName=ENDPOINT)
    found = {item["VariantName"]: item["CurrentWeight"] for item in described["ProductionVariants"]}
    return {name: weight for name, weight in found.items() if weight > 0}


def reset(cloud: LaptopCloud, outputs: dict[str, str]) -> None:
    """End what an earlier test left running, forget its claims, give all traffic to blue."""
    states = cloud.client("stepfunctions")
    for name in SHIFTS:
        for running in states.list_executions(stateMachineArn=outputs[f"{name}Arn"], statusFilter="RUNNING")[
            "executions"
        ]:
            states.stop_execution(executionArn=running["executionArn"])
            time.sleep(1)  # a call that is under way ends
        cloud.client("dynamodb").delete_item(TableName=outputs[f"{name}Table"], Key={"id": {"S": ENDPOINT}})
    set_weights(cloud, blue=1)
    await_alarm(cloud, outputs, "OK")


def complain(cloud: LaptopCloud, outputs: dict[str, str]) -> None:
    """Make the alarm ring, by its metric; it is quiet again ten seconds later."""
    datum = {"MetricName": "Complaints", "Value": 5.0}
    cloud.client("cloudwatch").put_metric_data(Namespace="Business", MetricData=[datum])
    await_alarm(cloud, outputs, "ALARM")


def await_alarm(cloud: LaptopCloud, outputs: dict[str, str], state: str) -> None:
    """Wait until the alarm has a state; of no other use than to separate the tests."""
    client = cloud.client("cloudwatch")
    deadline = time.monotonic() + 20
    while client.describe_alarms(AlarmNames=[outputs["Alarm"]])["MetricAlarms"][0]["StateValue"] != state:
        assert time.monotonic() < deadline, f"the alarm is not {state}"
        time.sleep(0.1)


def set_weights(cloud: LaptopCloud, **wanted: float) -> None:
    """Set the weights of the named variants, and 0 for the others."""
    desired = [{"VariantName": name, "DesiredWeight": wanted.get(name, 0)} for name in VARIANTS]
    sagemaker = cloud.client("sagemaker")
    sagemaker.update_endpoint_weights_and_capacities(EndpointName=ENDPOINT, DesiredWeightsAndCapacities=desired)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=ENDPOINT, WaiterConfig={"Delay": 1})
