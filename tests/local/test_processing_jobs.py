"""Processing jobs on the laptop cloud are real processes with their inputs, outputs and limits."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Collected, Until
from tests.local.job_support import archive, events, executed, finished, get, given, processing, put, wanted

pytestmark = pytest.mark.laptop_cloud
Process = Callable[..., dict[str, Any]]
CODE = "/opt/ml/processing/input/code/job.py"
ECHO = """
    import json, os, sys
    from pathlib import Path
    import scipy
    target = Path(sys.argv[2])
    (target / "deep").mkdir()
    root = target.parent.parent
    config = json.loads((root / "config/processingjobconfig.json").read_text())
    seen = {
        "scipy": scipy.__version__, "rows": Path(sys.argv[1], "rows.csv").read_text(), "place": os.environ["PLACE"],
        "name": os.environ["PROCESSING_JOB_NAME"], "image": config["AppSpecification"]["ImageUri"],
    }
    (target / "deep/seen.json").write_text(json.dumps(seen))
    (root / "output/message").write_text("x" * 2000)
    print("done")
"""
SLEEP = "import time; time.sleep(60)"


@pytest.fixture
def process(laptop_cloud: LaptopCloud, until: Until) -> Process:
    """Return a function that runs a script as a processing job and returns its description."""

    def run(name: str, script: str, **more: Any) -> dict[str, Any]:
        laptop_cloud.client("sagemaker").create_processing_job(**request(laptop_cloud, name, script, **more))
        return finished(laptop_cloud, until, name, kind="processing")

    return run


def request(cloud: LaptopCloud, name: str, script: str, **more: Any) -> dict[str, Any]:
    code = put(cloud, f"processing/{name}/job.py", textwrap.dedent(script))
    return {"ProcessingInputs": [given("code", code)], **processing(name, ["python3", CODE], **more)}


def test_a_script_gets_its_inputs_and_its_outputs_are_in_s3(laptop_cloud: LaptopCloud, until: Until) -> None:
    rows = put(laptop_cloud, "processing/rows/rows.csv", "1,2")
    arguments = {**request(laptop_cloud, "echo", ECHO), "ProcessingOutputConfig": wanted("s3://jobs/echo-out")}
    arguments["ProcessingInputs"].append(given("rows", rows.removesuffix("/rows.csv")))
    arguments["AppSpecification"]["ContainerArguments"] = ["/opt/ml/processing/input/rows", "/opt/ml/processing/output"]
    laptop_cloud.client("sagemaker").create_processing_job(**arguments, Environment={"PLACE": "at /opt/ml/processing"})
    job = finished(laptop_cloud, until, "echo", kind="processing")
    assert job["ProcessingJobStatus"] == "Completed", job
    assert job["ExitMessage"] == "x" * 1024
    seen = json.loads(get(laptop_cloud, "s3://jobs/echo-out/deep/seen.json"))
    assert (seen["rows"], seen["name"], seen["image"]) == ("1,2", "echo", arguments["AppSpecification"]["ImageUri"])
    assert seen["scipy"].startswith("1.1")
    assert seen["place"].startswith("at /")
    assert "/opt/ml" not in seen["place"]
    group = "/aws/sagemaker/ProcessingJobs"
    logs = laptop_cloud.client("logs")
    (stream,) = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="echo/algo-1-")["logStreams"]
    lines = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
    assert [line["message"] for line in lines] == ["done"]


def test_a_shell_unpacks_the_code_and_starts_the_pinned_python(laptop_cloud: LaptopCloud, until: Until) -> None:
    write = """
        import os, sys, sklearn
        open(sys.argv[2] + "/processing/output/version.txt", "w").write(sklearn.__version__)
    """
    code = put(laptop_cloud, "processing/shell/sourcedir.tar.gz", archive(deep__job=write))
    text = "cd /opt/ml/processing/input/code && tar -xzf sourcedir.tar.gz && exec python3 deep/job.py --root /opt/ml"
    arguments = processing("shell", ["bash", "-c", text], ProcessingOutputConfig=wanted("s3://jobs/shell-out"))
    laptop_cloud.client("sagemaker").create_processing_job(**arguments, ProcessingInputs=[given("code", code)])
    job = finished(laptop_cloud, until, "shell", kind="processing")
    assert job["ProcessingJobStatus"] == "Completed", job
    assert get(laptop_cloud, "s3://jobs/shell-out/version.txt") == b"1.9.0"


def test_a_failed_job_has_exit_code_message_and_no_outputs(laptop_cloud: LaptopCloud, process: Process) -> None:
    script = """
        import os, sys
        root = sys.argv[0].rsplit("/processing/", 1)[0]
        open(root + "/output/message", "w").write("error: no rows")
        open(root + "/processing/output/half.txt", "w").write("half")
        sys.exit(3)
    """
    job = process("broken", script, ProcessingOutputConfig=wanted("s3://jobs/broken-out"))
    assert (job["ProcessingJobStatus"], job["ExitMessage"]) == ("Failed", "error: no rows")
    assert job["FailureReason"] == "AlgorithmError: See job logs for more information, exit code: 3"
    assert "Contents" not in laptop_cloud.client("s3").list_objects_v2(Bucket="jobs", Prefix="broken-out")


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("bare", {"AppSpecification": {"ImageUri": "analyzer"}}, "not what is inside analyzer"),
        ("unknown", {"AppSpecification": {"ImageUri": "i", "ContainerEntrypoint": ["no-such-program"]}}, "no program"),
        ("noinput", {"ProcessingInputs": [given("code", "s3://jobs/none/")]}, "No S3 objects found"),
    ],
)
def test_a_job_that_cannot_start_fails_with_the_reason(
    name: str, change: dict[str, Any], said: str, process: Process
) -> None:
    job = process(name, "pass", **change)
    assert job["ProcessingJobStatus"] == "Failed"
    assert said in job["FailureReason"]


def test_a_job_is_stopped_by_request_and_by_its_limit(
    laptop_cloud: LaptopCloud, process: Process, until: Until
) -> None:
    sagemaker = laptop_cloud.client("sagemaker")
    assert process("late", SLEEP, seconds=1)["ProcessingJobStatus"] == "Stopped"
    sagemaker.create_processing_job(**request(laptop_cloud, "stopped", SLEEP))
    sagemaker.stop_processing_job(ProcessingJobName="stopped")
    assert finished(laptop_cloud, until, "stopped", kind="processing")["ProcessingJobStatus"] == "Stopped"
    with pytest.raises(ClientError, match="is in status Stopped"):
        sagemaker.stop_processing_job(ProcessingJobName="stopped")
    with pytest.raises(sagemaker.exceptions.ResourceInUse):
        sagemaker.create_processing_job(**request(laptop_cloud, "stopped", SLEEP))


def test_a_state_machine_waits_for_the_job(laptop_cloud: LaptopCloud, until: Until) -> None:
    sync = "sagemaker:createProcessingJob.sync"
    done = executed(laptop_cloud, until, sync, request(laptop_cloud, "sync", "pass"))
    assert done["status"] == "SUCCEEDED", done
    assert json.loads(done["output"])["ProcessingJobStatus"] == "Completed"
    failed = executed(laptop_cloud, until, sync, request(laptop_cloud, "sync-failed", "1 / 0"))
    assert failed["error"] == "States.TaskFailed"
    assert "exit code: 1" in json.loads(failed["cause"])["FailureReason"]
    late = executed(laptop_cloud, until, sync, request(laptop_cloud, "sync-late", SLEEP), timeout=2)
    assert late["error"] == "States.Timeout"
    assert finished(laptop_cloud, until, "sync-late", kind="processing")["ProcessingJobStatus"] == "Stopped"


def test_the_end_of_a_job_is_an_event(laptop_cloud: LaptopCloud, process: Process, collected: Collected) -> None:
    detail = {"ProcessingJobName": ["told"], "ProcessingJobStatus": ["Completed", "Failed"]}
    pattern = {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Processing Job State Change"], "detail": detail}
    queue = events(laptop_cloud, "processing-told", pattern)
    process("told", "pass")
    (body,) = collected(queue, 1)
    assert json.loads(body)["detail"]["ProcessingJobStatus"] == "Completed"
