"""Training jobs on the laptop cloud are real processes on SageMaker's container contract."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_ml_lens.local import LaptopCloud, ModelRuntime
from tests.local.conftest import FAKE_SERVER, Collected, Until
from tests.local.job_support import (
    ROLE,
    archive,
    channel,
    events,
    executed,
    finished,
    get,
    members,
    processing,
    put,
    started,
    training,
)  # fmt: skip

pytestmark = pytest.mark.laptop_cloud
ECHO = """
    import json, os, sys
    from pathlib import Path
    import sklearn
    from beside import WORD
    base = Path(os.environ["SAGEMAKER_BASE_DIR"])
    channel = Path(os.environ["SM_CHANNEL_TRAIN"])
    seen = {
        "arguments": sys.argv[1:], "word": WORD, "sklearn": sklearn.__version__, "mine": os.environ["MINE"],
        "train": {str(path.relative_to(channel)): path.read_text() for path in sorted(channel.rglob("*.csv"))},
        "one": (base / "input/data/one/only.csv").read_text(),
        "hyperparameters": json.loads((base / "input/config/hyperparameters.json").read_text()),
        "channels": json.loads((base / "input/config/inputdataconfig.json").read_text()),
        "sm": {name: value for name, value in os.environ.items() if name.startswith("SM_")},
        "checkpoints": (base / "checkpoints").exists(), "cwd": os.getcwd() == str(base / "code"),
    }
    print("metric loss=0.5")
    print("metric loss=0.25")
    Path(os.environ["SM_MODEL_DIR"], "model.txt").write_text("trained")
    Path(os.environ["SM_OUTPUT_DATA_DIR"], "seen.json").write_text(json.dumps(seen))
"""
SLEEP = "import time\nprint('begun', flush=True)\ntime.sleep(60)"
COUNTING = """
    import os, sys, time
    from pathlib import Path
    base = Path(os.environ["SAGEMAKER_BASE_DIR"])
    kept = base / "checkpoints"
    done = len(list(kept.glob("*.txt"))) if kept.exists() else 0
    print(f"resumed at {done}", flush=True)
    for number in range(done, 4):
        time.sleep(0.15)
        if kept.exists():
            (kept / f"{number}.txt").write_text(str(number))
        print(f"checkpoint {number + 1} of 4", flush=True)
        if number == 1:
            time.sleep(0.4)
    (base / "model/steps.txt").write_text(str(4 - done))
"""


def spot(name: str, code: str, *, wait: int = 120, **environment: str) -> dict[str, Any]:
    """Return a job on spot capacity whose first attempt is interrupted after its second step."""
    faults = {"ML_LENS_FAULT_SPOT_INTERRUPTIONS": "1", "ML_LENS_FAULT_SPOT_AT": "checkpoint 2"}
    return {
        **training(name, code, Environment={**faults, **environment}, EnableManagedSpotTraining=True),
        "StoppingCondition": {"MaxRuntimeInSeconds": min(wait, 60), "MaxWaitTimeInSeconds": wait},
    }


def test_a_script_sees_the_container_and_its_artifact_is_in_s3(laptop_cloud: LaptopCloud, until: Until) -> None:
    code = put(laptop_cloud, "code/echo.tar.gz", archive(sub__train=ECHO, sub__beside="WORD = 'hello'"))
    put(laptop_cloud, "echo/train/part-0.csv", "1")
    put(laptop_cloud, "echo/train/deep/part-1.csv", "2")
    one = put(laptop_cloud, "echo/other/only.csv", "3")
    request = training(
        "echo", code,
        hyperparameters={"sagemaker_program": '"sub/train.py"', "quantile": "0.99", "names": "a,b", "k": '"v"',
                         "flag": "true", "_tuning_objective_metric": "loss"},
        InputDataConfig=[channel("train", "s3://jobs/echo/train"), channel("one", one, InputMode="FastFile")],
        Environment={"MINE": "/opt/ml/model/x"},
    )  # fmt: skip
    request["AlgorithmSpecification"]["MetricDefinitions"] = [{"Name": "loss", "Regex": r"metric loss=([0-9.]+)"}]
    laptop_cloud.client("sagemaker").create_training_job(**request)
    job = finished(laptop_cloud, until, "echo")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Completed", "Completed"), job
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == "s3://jobs/out/echo/output/model.tar.gz"
    assert members(laptop_cloud, job["ModelArtifacts"]["S3ModelArtifacts"]) == {"model.txt": b"trained"}
    assert [(item["MetricName"], item["Value"]) for item in job["FinalMetricDataList"]] == [("loss", 0.25)]
    steps = [item["Status"] for item in job["SecondaryStatusTransitions"]]
    assert steps == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    seen = json.loads(members(laptop_cloud, "s3://jobs/out/echo/output/output.tar.gz")["seen.json"])
    expected = ["--flag", "True", "-k", "v", "--names", "a,b", "--quantile", "0.99"]
    assert (seen["arguments"], seen["word"], seen["sklearn"]) == (expected, "hello", "1.9.0")
    assert (seen["train"], seen["one"]) == ({"part-0.csv": "1", "deep/part-1.csv": "2"}, "3")
    assert seen["hyperparameters"]["quantile"] == "0.99"
    assert set(seen["channels"]) == {"train", "one"}
    assert json.loads(seen["sm"]["SM_HPS"]) == {"flag": True, "k": "v", "names": "a,b", "quantile": 0.99}
    assert (seen["sm"]["SM_HP_QUANTILE"], seen["sm"]["SM_USER_ENTRY_POINT"]) == ("0.99", "sub/train.py")
    assert seen["mine"] == seen["sm"]["SM_MODEL_DIR"] + "/x"  # what a path of the container means here
    assert (seen["checkpoints"], seen["cwd"]) == (False, True)
    (stream,) = laptop_cloud.client("logs").describe_log_streams(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix="echo/algo-1-"
    )["logStreams"]
    lines = laptop_cloud.client("logs").get_log_events(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamName=stream["logStreamName"]
    )["events"]
    assert [line["message"] for line in lines] == ["metric loss=0.5", "metric loss=0.25"]


@pytest.mark.parametrize(
    ("name", "script", "said"),
    [
        ("raises", "raise ValueError('too few rows')", 'ErrorMessage "ValueError: too few rows"'),
        ("exits", "import sys; sys.exit('error: no data')", 'ErrorMessage "error: no data"'),
        ("writes", "import os, sys; p = os.environ['SAGEMAKER_BASE_DIR'] + '/output/failure'; "
                   "open(p, 'w').write('by hand'); sys.exit(3)", "AlgorithmError: by hand, exit code: 3"),
    ],
)  # fmt: skip
def test_a_failed_script_gives_its_reason_and_no_artifact(
    name: str, script: str, said: str, laptop_cloud: LaptopCloud, until: Until
) -> None:
    code = put(laptop_cloud, f"code/{name}.tar.gz", archive(train=script))
    laptop_cloud.client("sagemaker").create_training_job(**training(name, code))
    job = finished(laptop_cloud, until, name)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: ")
    assert said in job["FailureReason"]
    assert "ModelArtifacts" not in job


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("empty", {"InputDataConfig": [channel("train", "s3://jobs/none/")]}, "No S3 objects found under S3 URL"),
        ("nocode", {"HyperParameters": {"sagemaker_program": "train.py",
                                        "sagemaker_submit_directory": "s3://jobs/no.tar.gz"}}, "no.tar.gz"),
        ("noscript", {"HyperParameters": {"k": "10"}}, "runs Python scripts in script mode"),
        ("pipe", {"InputDataConfig": [channel("train", "s3://jobs/x/", InputMode="Pipe")]}, "not Pipe"),
        ("isolated", {"EnableNetworkIsolation": True}, "with network isolation s3://jobs/"),
    ],
)  # fmt: skip
def test_a_job_that_cannot_start_fails_with_the_reason(
    name: str, change: dict[str, Any], said: str, laptop_cloud: LaptopCloud, until: Until
) -> None:
    code = put(laptop_cloud, "code/fine.tar.gz", archive(train="pass"))
    laptop_cloud.client("sagemaker").create_training_job(**{**training(name, code), **change})
    job = finished(laptop_cloud, until, name)
    assert job["TrainingJobStatus"] == "Failed"
    assert said in job["FailureReason"]


def test_an_isolated_job_takes_its_code_from_a_channel_and_reaches_nothing(
    laptop_cloud: LaptopCloud, until: Until
) -> None:
    look = """
        import os
        names = [name for name in os.environ if name.startswith("AWS_") and "REGION" not in name]
        open(os.environ["SM_MODEL_DIR"] + "/aws.txt", "w").write(str(names))
    """
    code = put(laptop_cloud, "code/channel/sourcedir.tar.gz", archive(train=look))
    submitted = {"sagemaker_submit_directory": "/opt/ml/input/data/code/sourcedir.tar.gz"}
    request = training("apart", code, hyperparameters=submitted, EnableNetworkIsolation=True)
    laptop_cloud.client("sagemaker").create_training_job(**request, InputDataConfig=[channel("code", code)])
    job = finished(laptop_cloud, until, "apart")
    assert job["TrainingJobStatus"] == "Completed", job
    assert members(laptop_cloud, job["ModelArtifacts"]["S3ModelArtifacts"]) == {"aws.txt": b"[]"}


def test_a_stopped_job_ends_stopped_and_only_a_running_one_can_be_stopped(
    laptop_cloud: LaptopCloud, until: Until
) -> None:
    sagemaker = laptop_cloud.client("sagemaker")
    code = put(laptop_cloud, "code/sleep.tar.gz", archive(train=SLEEP))
    sagemaker.create_training_job(**training("stopped", code))
    until(lambda: sagemaker.describe_training_job(TrainingJobName="stopped")["SecondaryStatus"] == "Training")
    sagemaker.stop_training_job(TrainingJobName="stopped")
    job = finished(laptop_cloud, until, "stopped")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    with pytest.raises(ClientError, match="is in status Stopped"):
        sagemaker.stop_training_job(TrainingJobName="stopped")
    with pytest.raises(sagemaker.exceptions.ResourceInUse):
        sagemaker.create_training_job(**training("stopped", code))
    with pytest.raises(sagemaker.exceptions.ResourceNotFound):
        sagemaker.describe_training_job(TrainingJobName="never")
    names = [
        item["TrainingJobName"] for item in sagemaker.list_training_jobs(StatusEquals="Stopped")["TrainingJobSummaries"]
    ]
    assert "stopped" in names


def test_a_job_past_its_time_is_stopped(laptop_cloud: LaptopCloud, until: Until) -> None:
    code = put(laptop_cloud, "code/sleep.tar.gz", archive(train=SLEEP))
    laptop_cloud.client("sagemaker").create_training_job(**training("late", code, seconds=1))
    job = finished(laptop_cloud, until, "late")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_an_interrupted_job_goes_on_from_its_checkpoints(laptop_cloud: LaptopCloud, until: Until) -> None:
    code = put(laptop_cloud, "code/counting.tar.gz", archive(train=COUNTING))
    kept = {"CheckpointConfig": {"S3Uri": "s3://jobs/checkpoints/resumed"}}
    laptop_cloud.client("sagemaker").create_training_job(**spot("resumed", code), **kept)
    job = finished(laptop_cloud, until, "resumed")
    assert job["TrainingJobStatus"] == "Completed", job
    steps = [item["Status"] for item in job["SecondaryStatusTransitions"]]
    assert steps.count("Interrupted") == 1
    assert steps.count("Training") == 2
    assert members(laptop_cloud, job["ModelArtifacts"]["S3ModelArtifacts"]) == {"steps.txt": b"2"}
    assert get(laptop_cloud, "s3://jobs/checkpoints/resumed/3.txt") == b"3"


def test_without_checkpoints_an_interrupted_job_begins_again(laptop_cloud: LaptopCloud, until: Until) -> None:
    code = put(laptop_cloud, "code/counting.tar.gz", archive(train=COUNTING))
    laptop_cloud.client("sagemaker").create_training_job(**spot("again", code))
    job = finished(laptop_cloud, until, "again")
    assert members(laptop_cloud, job["ModelArtifacts"]["S3ModelArtifacts"]) == {"steps.txt": b"4"}


def test_a_file_of_the_cloud_interrupts_every_spot_job(laptop_cloud: LaptopCloud, until: Until) -> None:
    code = put(laptop_cloud, "code/counting.tar.gz", archive(train=COUNTING))
    request = {**spot("by-file", code), "Environment": {}}
    faults = laptop_cloud.state_dir / "spot.json"
    faults.write_text(json.dumps({"ML_LENS_FAULT_SPOT_INTERRUPTIONS": 1, "ML_LENS_FAULT_SPOT_AFTER": 0.2}))
    try:
        laptop_cloud.client("sagemaker").create_training_job(**request)
        job = finished(laptop_cloud, until, "by-file")
    finally:
        faults.unlink()
    assert "Interrupted" in [item["Status"] for item in job["SecondaryStatusTransitions"]]
    assert job["TrainingJobStatus"] == "Completed"


def test_a_job_that_waits_too_long_for_capacity_is_stopped(laptop_cloud: LaptopCloud, until: Until) -> None:
    code = put(laptop_cloud, "code/counting.tar.gz", archive(train=COUNTING))
    laptop_cloud.client("sagemaker").create_training_job(**spot("waited", code, wait=3, ML_LENS_FAULT_SPOT_WAIT="900"))
    job = finished(laptop_cloud, until, "waited")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxWaitTimeExceeded")
    assert "ModelArtifacts" not in job


def test_a_job_that_waits_for_capacity_can_be_stopped(laptop_cloud: LaptopCloud, until: Until) -> None:
    sagemaker = laptop_cloud.client("sagemaker")
    code = put(laptop_cloud, "code/counting.tar.gz", archive(train=COUNTING))
    sagemaker.create_training_job(**spot("given-up", code, ML_LENS_FAULT_SPOT_WAIT="900"))
    described = sagemaker.describe_training_job
    until(lambda: described(TrainingJobName="given-up")["SecondaryStatus"] == "Interrupted")
    sagemaker.stop_training_job(TrainingJobName="given-up")
    assert finished(laptop_cloud, until, "given-up")["TrainingJobStatus"] == "Stopped"


def test_spot_needs_a_limit_of_waiting(laptop_cloud: LaptopCloud) -> None:
    with pytest.raises(ClientError, match="MaxWaitTimeInSeconds"):
        laptop_cloud.client("sagemaker").create_training_job(
            **training("nolimit", "s3://jobs/x", EnableManagedSpotTraining=True)
        )


def test_a_state_machine_waits_for_the_job_and_gets_it_as_its_output(laptop_cloud: LaptopCloud, until: Until) -> None:
    code = put(laptop_cloud, "code/fine.tar.gz", archive(train="pass"))
    done = executed(laptop_cloud, until, "sagemaker:createTrainingJob.sync", training("sync", code))
    assert done["status"] == "SUCCEEDED", done
    output = json.loads(done["output"])
    assert (output["TrainingJobStatus"], type(output["TrainingEndTime"])) == ("Completed", int)
    again = executed(laptop_cloud, until, "sagemaker:createTrainingJob.sync", training("sync", code))
    assert (again["status"], again["error"]) == ("FAILED", "SageMaker.ResourceInUseException")


def test_a_state_machine_fails_with_the_job_as_its_cause(laptop_cloud: LaptopCloud, until: Until) -> None:
    code = put(laptop_cloud, "code/raises.tar.gz", archive(train="raise ValueError('x')"))
    failed = executed(laptop_cloud, until, "sagemaker:createTrainingJob.sync", training("sync-failed", code))
    assert (failed["status"], failed["error"]) == ("FAILED", "States.TaskFailed")
    assert "ValueError: x" in json.loads(failed["cause"])["FailureReason"]


def test_a_state_that_times_out_or_is_aborted_stops_its_job(laptop_cloud: LaptopCloud, until: Until) -> None:
    code = put(laptop_cloud, "code/sleep.tar.gz", archive(train=SLEEP))
    sync = "sagemaker:createTrainingJob.sync"
    ended = executed(laptop_cloud, until, sync, training("sync-late", code), timeout=2)
    assert ended["error"] == "States.Timeout"
    assert finished(laptop_cloud, until, "sync-late")["TrainingJobStatus"] == "Stopped"
    execution = started(laptop_cloud, sync, training("sync-aborted", code))
    named = laptop_cloud.client("sagemaker").list_training_jobs
    until(lambda: named(NameContains="sync-aborted")["TrainingJobSummaries"])
    laptop_cloud.client("stepfunctions").stop_execution(executionArn=execution)
    assert finished(laptop_cloud, until, "sync-aborted")["TrainingJobStatus"] == "Stopped"
    described = laptop_cloud.client("stepfunctions").describe_execution(executionArn=execution)
    assert described["status"] == "ABORTED"


def test_every_change_of_a_job_is_an_event(laptop_cloud: LaptopCloud, collected: Collected) -> None:
    pattern = {"detail-type": ["SageMaker Training Job State Change"], "detail": {"TrainingJobName": ["told"]}}
    queue = events(laptop_cloud, "training-told", {"source": ["aws.sagemaker"], **pattern})
    code = put(laptop_cloud, "code/raises.tar.gz", archive(train="raise ValueError('x')"))
    laptop_cloud.client("sagemaker").create_training_job(**training("told", code))
    told: list[dict[str, Any]] = []
    while not any(event["detail"]["TrainingJobStatus"] == "Failed" for event in told):
        told += [json.loads(body) for body in collected(queue, 1)]
    last = next(event for event in told if event["detail"]["TrainingJobStatus"] == "Failed")
    assert last["resources"] == ["arn:aws:sagemaker:us-east-1:000000000000:training-job/told"]
    assert "ValueError: x" in last["detail"]["FailureReason"]


def test_no_process_outlives_the_cloud(tmp_path: Path, until: Until) -> None:
    models = ModelRuntime(python=Path(sys.executable), server=FAKE_SERVER)
    mark = uuid.uuid4().hex
    with LaptopCloud.start(state_dir=tmp_path / "cloud", models=models) as cloud:
        code = put(cloud, "code/sleep.tar.gz", archive(train=SLEEP))
        cloud.client("sagemaker").create_training_job(**training("left", code, hyperparameters={"mark": mark}))
        shell = processing("left", ["bash", "-c", f"sleep 60; echo {mark}"])
        cloud.client("sagemaker").create_processing_job(**shell)
        command = {"Name": "glueetl", "ScriptLocation": put(cloud, "code/sleep.py", SLEEP)}
        cloud.client("glue").create_job(Name="left", Role=ROLE, Command=command, GlueVersion="5.1")
        cloud.client("glue").start_job_run(JobName="left", Arguments={"--mark": mark})
        until(lambda: len(_running(mark)) == 3)
    assert until(lambda: not _running(mark))


def _running(mark: str) -> list[str]:
    listed = subprocess.run(["ps", "-eww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if mark in line]
