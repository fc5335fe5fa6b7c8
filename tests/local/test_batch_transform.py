"""BatchTransform on the laptop cloud: answers beside their inputs, a failure with its cause in the dead letters."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3

from cdk_ml_lens import BatchTransform, ModelArtifact, ModelSource, TransformOptions
from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Collected, Until

pytestmark = pytest.mark.laptop_cloud


@pytest.fixture
def machine(laptop_cloud: LaptopCloud, model_artifact: Callable[..., str], tmp_path: Path) -> tuple[str, str]:
    """Deploy the construct; return the state machine and the dead-letter queue."""
    model_artifact("batch", name="batch")
    app = cdk.App(outdir=str(tmp_path / "batch"))
    stack = cdk.Stack(app, "Batch")
    bucket = s3.Bucket.from_bucket_name(stack, "Models", "models")
    batch = BatchTransform(
        stack,
        "B",
        model=ModelSource.sklearn(ModelArtifact.from_bucket(bucket, "batch.tar.gz")),
        bucket=bucket,
        options=TransformOptions(input_filter="$[1:]", output_filter="$[0,-3]"),
    )
    cdk.CfnOutput(stack, "Machine", value=batch.machine.arn)
    cdk.CfnOutput(stack, "Dead", value=batch.dead_letters.queue.queue_url)
    outputs = laptop_cloud.deploy(Path(app.synth().directory), "Batch").outputs
    return outputs["Machine"], outputs["Dead"]


def run(cloud: LaptopCloud, machine: str, folder: str, until: Until) -> str:
    """Start a batch and return the execution's status when it has ended."""
    states = cloud.client("stepfunctions")
    execution = states.start_execution(stateMachineArn=machine, input=json.dumps({"folder": folder}))["executionArn"]
    status: str = until(
        lambda: (found := states.describe_execution(executionArn=execution)["status"]) != "RUNNING" and found,
        seconds=30,
    )
    return status


def test_answers_lie_beside_their_inputs_and_a_failure_keeps_its_cause(
    laptop_cloud: LaptopCloud, machine: tuple[str, str], until: Until, collected: Collected
) -> None:
    states, dead = machine
    store = laptop_cloud.client("s3")
    store.put_object(Bucket="models", Key="input/monday/a.csv", Body=b"id-1,1,2\nid-2,3,4\n")
    assert run(laptop_cloud, states, "monday", until) == "SUCCEEDED"
    answer = store.get_object(Bucket="models", Key="output/monday/a.csv.out")["Body"].read()
    assert answer == b"id-1,3.0\nid-2,7.0\n"

    store.put_object(Bucket="models", Key="input/tuesday/a.csv", Body=b"id-1,500,2\n")
    assert run(laptop_cloud, states, "tuesday", until) == "FAILED"
    (letter,) = [json.loads(body) for body in collected(dead, 1)]
    assert (letter["reason"], letter["folder"]) == ("transform_failed", "tuesday")
    assert "the model answered 500" in letter["detail"]
