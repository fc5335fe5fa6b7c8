"""A stack with a registry, its deployment and its rebuild; registers, approves, asks, and waits for what happens."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs
from botocore.exceptions import ClientError

from cdk_ml_lens import (
    AnswerCheck,
    ApprovedDeployment,
    EndpointShape,
    ModelRegistry,
    RebuildEndpoint,
    RollbackAlarms,
    Rollout,
    SyntheticRequest,
)
from cdk_ml_lens.local import LaptopCloud

ENDPOINT, GROUP = "turbines", "turbine-models"
REQUEST = SyntheticRequest(body={"features": [0.25, 0.5]}, expect=AnswerCheck(path="score", minimum=0, maximum=1))
PROGRAM = """
import json
def model_fn(model_dir): {loading}
def input_fn(body, content_type): return json.loads(body)
def predict_fn(data, model): return {{"score": {score}, "model_version": "{version}"}}
def output_fn(prediction, accept): return json.dumps(prediction), accept
"""
GOOD = "sum(data['features'])"
BREAKING = "sum(data['features']) if len(data['features']) > 1 else 1 / 0"  # passes the synthetic request only
INSTANCES = {"variant_name": "primary", "instance_type": "ml.m5.large", "instance_count": 1}


def build(app: cdk.App) -> cdk.Stack:
    """Build registry, deployment and rebuild, with a queue that hears of outcomes."""
    stack = cdk.Stack(app, "Registry")
    registry = ModelRegistry(stack, "Models", group_name=GROUP)
    deployment = ApprovedDeployment(
        stack,
        "Deployment",
        registry=registry,
        verification=REQUEST,
        endpoint_name=ENDPOINT,
        shape=EndpointShape(),
        rollout=Rollout.canary(percent=50, bake_minutes=2, alarms=RollbackAlarms(latency_p99_ms=60_000)),
    )
    rebuild = RebuildEndpoint(stack, "Rebuild", deployment=deployment)
    queue = sqs.Queue(stack, "Outcomes")
    deployment.on_succeeded("Succeeded", targets.SqsQueue(queue))
    deployment.on_failed("Failed", targets.SqsQueue(queue))
    outputs = {
        "Bucket": registry.bucket.bucket_name,
        "Deploy": deployment.machine.arn,
        "Rebuild": rebuild.machine.arn,
        "Outcomes": queue.queue_url,
    }
    for name, value in outputs.items():
        cdk.CfnOutput(stack, f"{name}Output", value=value)
    return stack


def deploy(cloud: LaptopCloud, folder: Path) -> dict[str, str]:
    """Deploy the stack and return its outputs."""
    app = cdk.App(outdir=str(folder))
    build(app)
    app.synth()
    found = cloud.deploy(folder, "Registry").outputs
    return {name.removesuffix("Output"): value for name, value in found.items()}


class Registry:
    """The deployed registry."""

    def __init__(self, cloud: LaptopCloud, outputs: dict[str, str]) -> None:
        self.outputs, self.cloud = outputs, cloud
        self.bucket = outputs["Bucket"]
        self.s3, self.sagemaker = cloud.client("s3"), cloud.client("sagemaker")
        self.machines = cloud.client("stepfunctions")

    def register(self, version: str, *, score: str = GOOD, loading: str = "return None", **changes: Any) -> str:
        """Register a version as the training pipeline does, pending approval; return its ARN."""
        key, manifest = f"models/{version}/model.tar.gz", f"manifests/{version}-e1.json"
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=_packed(version, score, loading))
        uri, data = f"s3://{self.bucket}/{manifest}", f"s3://{self.bucket}/{key}"
        environment = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
        arn = str(
            self.sagemaker.create_model_package(
                ModelPackageGroupName=GROUP,
                ModelApprovalStatus="PendingManualApproval",
                InferenceSpecification={
                    "Containers": [{"Image": "any", "ModelDataUrl": data, "Environment": environment}],
                    "SupportedContentTypes": ["application/json"],
                },
                CustomerMetadataProperties={"manifest": uri, "model_version": version, "dataset_version": "d"},
            )["ModelPackageArn"]
        )
        document = {
            "manifest_version": 1, "model_version": version, "model_package_arn": arn, "model_data": data,
            "image": "any", "environment": environment, "endpoint": INSTANCES, "approver": None, **changes,
        }  # fmt: skip
        self.s3.put_object(Bucket=self.bucket, Key=manifest, Body=json.dumps(document).encode())
        return arn

    def approve(self, arn: str, status: str = "Approved") -> None:
        """Approve or reject a version."""
        self.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus=status)

    def manifest(self, version: str) -> dict[str, Any]:
        """Return a version's manifest."""
        body = self.s3.get_object(Bucket=self.bucket, Key=f"manifests/{version}-e1.json")["Body"].read()
        found: dict[str, Any] = json.loads(body)
        return found

    def outcome(self, *, seconds: float = 240) -> dict[str, Any]:
        """Wait for the next event about a deployment and return it."""
        client, deadline = self.cloud.client("sqs"), time.monotonic() + seconds
        while time.monotonic() < deadline:
            for message in client.receive_message(QueueUrl=self.outputs["Outcomes"]).get("Messages", []):
                client.delete_message(QueueUrl=self.outputs["Outcomes"], ReceiptHandle=message["ReceiptHandle"])
                event: dict[str, Any] = json.loads(message["Body"])
                return event
            time.sleep(0.1)
        raise AssertionError(f"no outcome within {seconds} s: {self.progress()}")

    def quiet(self) -> None:
        """Wait until no execution runs, and forget the outcomes."""
        deadline = time.monotonic() + 120
        while any(self.running(name) for name in ("Deploy", "Rebuild")):
            assert time.monotonic() < deadline, self.progress()
            time.sleep(0.1)
        self.cloud.client("sqs").purge_queue(QueueUrl=self.outputs["Outcomes"])

    def running(self, machine: str = "Deploy") -> list[str]:
        """Return the executions that run."""
        found = self.machines.list_executions(stateMachineArn=self.outputs[machine], statusFilter="RUNNING")
        return [item["executionArn"] for item in found["executions"]]

    def run(self, machine: str, **request: str) -> dict[str, Any]:
        """Run one of the machines by hand to its end and return the execution's description."""
        arn = self.machines.start_execution(stateMachineArn=self.outputs[machine], input=json.dumps(request))
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            found: dict[str, Any] = self.machines.describe_execution(executionArn=arn["executionArn"])
            if found["status"] != "RUNNING":
                return found
            time.sleep(0.1)
        raise AssertionError(self.progress())

    def progress(self) -> list[str]:
        """Return the states that running executions have entered."""
        return [
            event["stateEnteredEventDetails"]["name"]
            for arn in (*self.running("Deploy"), *self.running("Rebuild"))
            for event in self.machines.get_execution_history(executionArn=arn)["events"]
            if "stateEnteredEventDetails" in event
        ]

    def answer(self, *features: float) -> dict[str, Any]:
        """Ask the endpoint."""
        body = json.dumps({"features": features or (0.1, 0.2)}).encode()
        answered = self.cloud.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=ENDPOINT, Body=body, ContentType="application/json", Accept="application/json"
        )
        found: dict[str, Any] = json.loads(answered["Body"].read())
        return found

    def config(self) -> str:
        """Return the name of the configuration that serves, "" if there is no endpoint."""
        try:
            found = self.sagemaker.describe_endpoint(EndpointName=ENDPOINT)
        except ClientError:
            return ""
        return str(found["EndpointConfigName"]) if found["EndpointStatus"] == "InService" else ""

    def remove_endpoint(self, until: Callable[..., Any]) -> None:
        """Delete the endpoint, as an accident would."""
        self.sagemaker.delete_endpoint(EndpointName=ENDPOINT)
        until(lambda: self.config() == "")


def _packed(version: str, score: str, loading: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as bundle:
        program = PROGRAM.format(version=version, score=score, loading=loading).encode()
        entry = tarfile.TarInfo("code/inference.py")
        entry.size = len(program)
        bundle.addfile(entry, io.BytesIO(program))
    return packed.getvalue()
