"""Watches a deployed loop: its state machines, model versions, endpoint, alarm and reports."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from cdk_ml_lens.local.cloud import LaptopCloud
from cdk_ml_lens.local.lake_query import Athena

_Found = TypeVar("_Found")


class LoopError(RuntimeError):
    """A part of the loop failed, or did not come to its end in time."""


def until(what: str, probe: Callable[[], _Found | None], *, seconds: float) -> _Found:
    """Return what the probe finds.

    Raises
    ------
    LoopError
        When it finds nothing in that time.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = probe()
        if found is not None:
            return found
        time.sleep(0.5)
    raise LoopError(f"{what}: nothing after {seconds:g} s")


class Loop:
    """The deployed loop by the outputs of its stack."""

    def __init__(self, cloud: LaptopCloud, outputs: dict[str, str]) -> None:
        self.cloud, self.outputs = cloud, outputs
        self.athena = Athena(cloud.client("athena"), outputs["Workgroup"])

    def executions(self, machine: str) -> list[dict[str, Any]]:
        """Return the executions of a machine, the oldest first, by the name of its output."""
        states = self.cloud.client("stepfunctions")
        found = states.list_executions(stateMachineArn=self.outputs[machine])["executions"]
        return sorted(found, key=lambda one: one["startDate"])

    def ended(self, machine: str, number: int, *, seconds: float = 240.0) -> dict[str, Any]:
        """Return the ``number``-th execution of a machine, counted from 1, when it has succeeded.

        Raises
        ------
        LoopError
            When it failed, with error and cause, or did not end.
        """
        states = self.cloud.client("stepfunctions")

        def probe() -> dict[str, Any] | None:
            found = self.executions(machine)
            if len(found) < number or found[number - 1]["status"] == "RUNNING":
                return None
            described: dict[str, Any] = states.describe_execution(executionArn=found[number - 1]["executionArn"])
            return described

        done = until(f"execution {number} of {machine}", probe, seconds=seconds)
        if done["status"] != "SUCCEEDED":
            raise LoopError(f"{machine} ended {done['status']}: {done.get('error')} {str(done.get('cause'))[:600]}")
        return done

    def request_training(self, reason: str) -> None:
        """Ask for a run, as a person does who is granted that."""
        event = {"cause": "manual", "id": reason, "reason": reason}
        called = self.cloud.client("lambda").invoke(
            FunctionName=self.outputs["RetrainingFunction"], Payload=json.dumps(event).encode()
        )
        if "FunctionError" in called:
            raise LoopError(f"retraining: {called['Payload'].read().decode()[:600]}")

    def packages(self) -> list[dict[str, Any]]:
        """Return the model versions, the oldest first."""
        client = self.cloud.client("sagemaker")
        listed = client.list_model_packages(ModelPackageGroupName=self.outputs["ModelGroupName"])
        arns = [one["ModelPackageArn"] for one in listed["ModelPackageSummaryList"]]
        found = [client.describe_model_package(ModelPackageName=arn) for arn in arns]
        return sorted(found, key=lambda one: int(one["ModelPackageVersion"]))

    def manifest(self, package: dict[str, Any]) -> dict[str, Any]:
        """Return the manifest of a version."""
        return self.object(package["CustomerMetadataProperties"]["manifest"])

    def object(self, uri: str) -> dict[str, Any]:
        """Return a JSON object of S3."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        document: dict[str, Any] = json.loads(self.cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
        return document

    def approve(self, package: dict[str, Any], by: str) -> None:
        """Approve a version."""
        self.cloud.client("sagemaker").update_model_package(
            ModelPackageArn=package["ModelPackageArn"], ModelApprovalStatus="Approved", ApprovalDescription=by
        )

    def wait_for(self, table: str, rows: int, *, seconds: float = 120.0) -> None:
        """Wait until a table has at least so many rows, by Athena."""

        def probe() -> int | None:
            found = self.athena.count(self.outputs[table])
            return found if found >= rows else None

        until(f"{rows} rows in {self.outputs[table]}", probe, seconds=seconds)

    def judge(self, start: datetime, end: datetime, number: int) -> dict[str, Any]:
        """Have the monitor judge a window of traffic, and return its report; ``number`` counts its executions."""
        span = {name: at.strftime("%Y-%m-%dT%H:%M:%SZ") for name, at in (("start", start), ("end", end))}
        states = self.cloud.client("stepfunctions")
        states.start_execution(stateMachineArn=self.outputs["MonitorArn"], input=json.dumps(span))
        output = json.loads(self.ended("MonitorArn", number)["output"])
        return {**output, **(self.object(output["report"]) if output.get("report") else {})}

    def alarm(self) -> str:
        """Return the state of the drift alarm."""
        name = self.outputs["DriftAlarmName"]
        (found,) = self.cloud.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return str(found["StateValue"])

    def answer(self, features: int) -> dict[str, Any]:
        """Return what the endpoint answers to a row of ones: score, threshold, version."""
        body = json.dumps({"features": [1.0] * features}).encode()
        given = {"EndpointName": self.outputs["EndpointName"], "ContentType": "application/jsonlines", "Body": body}
        answered = self.cloud.client("sagemaker-runtime").invoke_endpoint(Accept="application/jsonlines", **given)
        document: dict[str, Any] = json.loads(answered["Body"].read())
        return document
