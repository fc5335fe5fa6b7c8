"""The handler that starts retraining."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from cdk_ml_lens import DatasetSource, Retraining, RetrainingCause, RetrainingPolicy
from cdk_ml_lens.local import LaptopCloud
from tests.local.iam_proof.harness import Proof, Refused
from tests.local.iam_proof.machines.conftest import Deployed, Proven, Stage
from tests.local.iam_proof.machines.executions import Machine, check
from tests.local.iam_proof.support import arrived, invoked, logging, refusals
from tests.local.test_retraining import FakePipeline

pytestmark = pytest.mark.laptop_cloud
LOOK, MANIFEST = {"look": True}, "datasets/v1/dataset.json"
NUMBERS = itertools.count()
WAIT_SECONDS = 20


def build() -> cdk.Stack:
    """Build retraining of a pipeline whose runs end within a second, by itself or after a preparation."""
    stack = cdk.Stack(cdk.App(), "Retrained")
    key = kms.Key(stack, "Key")
    lake = s3.Bucket(stack, "Lake", encryption_key=key)
    pipeline, preparation = FakePipeline(stack, "Training", key), FakePipeline(stack, "Preparation", key)
    errors = cloudwatch.Metric(namespace="Turbines", metric_name="WrongAlerts", statistic="Sum")
    alarm = errors.create_alarm(stack, "Complaints", threshold=20, evaluation_periods=1)
    retraining = Retraining(
        stack,
        "Retraining",
        pipeline=pipeline,
        datasets=DatasetSource(bucket=lake),
        causes=[RetrainingCause.drift(alarm)],
        policy=RetrainingPolicy(cool_down_minutes=0, minimum_new_rows=1, look_minutes=60),
        preparation=preparation,
    )
    outputs = {
        "Lake": lake.bucket_name,
        "Training": pipeline.machine.arn,
        "Preparation": preparation.machine.arn,
        "Alarm": alarm.alarm_name,
        "Function": retraining.handler.function.function_name,
        "Dead": retraining.store.dead_letters.queue_url,
    }
    for name, value in outputs.items():
        cdk.CfnOutput(stack, f"{name}Output", value=value)
    return stack


class Retrained:
    """The deployed handler, asked by hand: no rule, no schedule tells it anything."""

    def __init__(self, cloud: LaptopCloud, deployed: Deployed) -> None:
        self._cloud = cloud
        self._outputs = {name.removesuffix("Output"): value for name, value in deployed.outputs.items()}
        self.function = self._outputs["Function"]
        for name in ("Training", "Preparation"):
            Machine(cloud, self._outputs[name])
        body = json.dumps({"version": "v1", "rows": {"train": 1000}})
        for key in (MANIFEST, "datasets/current.json"):
            cloud.client("s3").put_object(Bucket=self._outputs["Lake"], Key=key, Body=body)
        self._quieten(deployed.name)

    def _quieten(self, stack: str) -> None:
        events = self._cloud.client("events")
        for rule in events.list_rules()["Rules"]:
            if rule["Name"].startswith(stack):
                events.disable_rule(Name=rule["Name"])

    def asked(self) -> None:
        """Ask for a run by hand, and follow it to its end."""
        self._settle()
        self._tell(self._by_hand(MANIFEST))
        self._settle()

    def drifted(self) -> None:
        """Hear of drift during a run: once that has ended, the alarm is looked at."""
        self._settle()
        self._tell(self._by_hand(MANIFEST))
        told = {"alarmName": self._outputs["Alarm"], "state": {"value": "ALARM", "timestamp": f"{next(NUMBERS)}"}}
        self._tell({"source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change", "detail": told})
        self._settle()

    def missing(self) -> None:
        """Ask for a run on a dataset that is not there; the handler lists, as a missing object is refused to it."""
        self._settle()
        event = json.dumps(self._by_hand("datasets/v2/dataset.json")).encode()
        answer = self._cloud.client("lambda").invoke(FunctionName=self.function, Payload=event)
        body = answer["Payload"].read().decode()
        check(body)
        assert json.loads(body)["run"] is None, body

    def given_up(self) -> None:
        """Fail for an event of nobody: it ends in the dead letters."""
        mark = f"nobody-{next(NUMBERS)}"
        before = self._cloud.log.stat().st_size
        client = self._cloud.client("lambda")
        client.invoke(FunctionName=self.function, InvocationType="Event", Payload=json.dumps({mark: 1}).encode())
        deadline = time.monotonic() + WAIT_SECONDS
        while not arrived(self._cloud, self._outputs["Dead"], mark):
            refused = [action for action in refusals(self._cloud, before, self.function) if "logs:" not in action]
            if refused:
                raise Refused(f"AccessDenied: {refused[0]}; the event is lost")
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def _by_hand(self, key: str) -> dict[str, Any]:
        return {"cause": "manual", "id": f"{next(NUMBERS)}", "dataset": f"s3://{self._outputs['Lake']}/{key}"}

    def _tell(self, event: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = invoked(self._cloud, self.function, event)
        return found

    def _settle(self) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while self._tell(LOOK)["outcome"] != "idle":
            assert time.monotonic() < deadline
            time.sleep(0.3)


def test_start_retraining_needs_each_of_its_rights(cloud: LaptopCloud, stage: Stage, proven: Proven) -> None:
    deployed = stage(build())
    handler = Retrained(cloud, deployed)
    works = {
        "s3:ListBucket": handler.missing,
        "cloudwatch:DescribeAlarms": handler.drifted,
        "sqs:SendMessage": handler.given_up,
        **logging(cloud, handler.function, LOOK),
    }
    proven(
        Proof(
            role="RetrainingHandlerRole",
            setting="examples/retraining.py",
            stack=deployed.name,
            template=deployed.template,
            work=handler.asked,
            works=works,
        )
    )
