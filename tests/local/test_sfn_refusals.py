"""States that ask for what the laptop cloud does not have, or get more than a state may hold, fail by AWS's names."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Until
from tests.local.job_support import ROLE, archive, executed, put, started, training

pytestmark = pytest.mark.laptop_cloud


@pytest.mark.parametrize(
    "resource",
    [
        "sagemaker:createCluster",
        "sagemaker:createEndpoint.sync",
        "aws-sdk:sagemakerruntime:invokeEndpointAsync",
    ],
)
def test_an_integration_that_is_missing_here_is_named(resource: str, laptop_cloud: LaptopCloud, until: Until) -> None:
    ended = executed(laptop_cloud, until, resource, {"EndpointName": "e", "EndpointConfigName": "c"})
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
    assert ended["cause"] == f"the laptop cloud has no arn:aws:states:::{resource}"


def test_arguments_that_are_no_request_fail_the_state_and_start_nothing(
    laptop_cloud: LaptopCloud, until: Until
) -> None:
    arguments = training("incomplete", "s3://jobs/none.tar.gz")
    del arguments["RoleArn"]
    arguments["HyperParameters"] = {"trees": 100}
    ended = executed(laptop_cloud, until, "sagemaker:createTrainingJob.sync", {**arguments, "Typo": 1})
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
    for said in (
        'required parameter in input: "RoleArn"',
        "HyperParameters.trees",
        'Unknown parameter in input: "Typo"',
    ):
        assert said in ended["cause"]
    assert laptop_cloud.client("sagemaker").list_training_jobs(NameContains="incomplete")["TrainingJobSummaries"] == []


def test_a_request_without_waiting_gives_its_answer(laptop_cloud: LaptopCloud, until: Until) -> None:
    arguments = {"ModelName": "by-state", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": "any"}}
    done = executed(laptop_cloud, until, "sagemaker:createModel", arguments)
    assert done["status"] == "SUCCEEDED", done
    assert json.loads(done["output"])["ModelArn"].endswith(":model/by-state")
    code = put(laptop_cloud, "unwaited/code.tar.gz", archive(train="import time; time.sleep(60)"))
    begun = time.monotonic()
    done = executed(laptop_cloud, until, "sagemaker:createTrainingJob", training("unwaited", code))
    assert json.loads(done["output"])["TrainingJobArn"].endswith(":training-job/unwaited")
    assert time.monotonic() - begun < 30
    laptop_cloud.client("sagemaker").stop_training_job(TrainingJobName="unwaited")


def test_an_answer_larger_than_a_state_may_hold_fails(laptop_cloud: LaptopCloud, until: Until) -> None:
    put(laptop_cloud, "large/fits.txt", "x" * 200_000)
    put(laptop_cloud, "large/not.txt", "x" * 300_000)
    read = "aws-sdk:s3:getObject"
    fits = executed(laptop_cloud, until, read, {"Bucket": "jobs", "Key": "large/fits.txt"})
    assert len(json.loads(fits["output"])["Body"]) == 200_000
    large = executed(laptop_cloud, until, read, {"Bucket": "jobs", "Key": "large/not.txt"})
    assert (large["status"], large["error"]) == ("FAILED", "States.DataLimitExceeded")


DEAF = """
    import os, pathlib, signal, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pathlib.Path(os.environ["DEAF"]).touch()
    time.sleep(60)
"""


def test_a_state_whose_job_is_slow_to_stop_still_ends_at_its_limit(
    laptop_cloud: LaptopCloud, until: Until, tmp_path: Path
) -> None:
    sagemaker, states = laptop_cloud.client("sagemaker"), laptop_cloud.client("stepfunctions")
    request = training("deaf", put(laptop_cloud, "deaf/code.tar.gz", archive(train=DEAF)))
    request["Environment"] = {"DEAF": str(tmp_path / "deaf")}
    execution = started(laptop_cloud, "sagemaker:createTrainingJob.sync", request, timeout=8)  # less than the grace
    until((tmp_path / "deaf").exists)
    sagemaker.stop_training_job(TrainingJobName="deaf")
    until(lambda: states.describe_execution(executionArn=execution)["status"] != "RUNNING")
    assert states.describe_execution(executionArn=execution)["error"] == "States.Timeout"
    assert sagemaker.describe_training_job(TrainingJobName="deaf")["TrainingJobStatus"] == "Stopping"
