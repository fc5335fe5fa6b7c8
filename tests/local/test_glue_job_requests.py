"""Requests about Glue jobs that go wrong, and jobs that cannot start or do not want to end."""

from __future__ import annotations

import json
import textwrap
from typing import Any

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Until
from tests.local.job_support import ROLE, executed
from tests.local.server_probe import probe

pytestmark = pytest.mark.laptop_cloud
BUCKET = "glue-requests"
ENDED = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT")


def made(cloud: LaptopCloud, name: str, code: str | None = "pass", **more: Any) -> str:
    """Make a job with a script, which S3 lacks without ``code``; return its name."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    if code is not None:
        s3.put_object(Bucket=BUCKET, Key=f"{name}.py", Body=textwrap.dedent(code).encode())
    command = {"Name": "glueetl", "ScriptLocation": f"s3://{BUCKET}/{name}.py", "PythonVersion": "3"}
    cloud.client("glue").create_job(Name=name, Role=ROLE, Command=command, GlueVersion="5.1", **more)
    return name


def ran(cloud: LaptopCloud, until: Until, name: str) -> dict[str, Any]:
    """Run a job to its end and return the run."""
    run_id = cloud.client("glue").start_job_run(JobName=name)["JobRunId"]
    return ended(cloud, until, name, run_id)


def ended(cloud: LaptopCloud, until: Until, name: str, run_id: str) -> dict[str, Any]:
    def probe() -> dict[str, Any] | None:
        run: dict[str, Any] = cloud.client("glue").get_job_run(JobName=name, RunId=run_id)["JobRun"]
        return run if run["JobRunState"] in ENDED else None

    found: dict[str, Any] = until(probe, seconds=60)
    return found


def test_an_update_changes_how_many_runs_there_may_be(laptop_cloud: LaptopCloud, until: Until) -> None:
    glue = laptop_cloud.client("glue")
    name = made(laptop_cloud, "updated", "import time; time.sleep(60)", MaxRetries=2)
    command = glue.get_job(JobName=name)["Job"]["Command"]
    update = {"Role": ROLE, "Command": command, "ExecutionProperty": {"MaxConcurrentRuns": 2}, "MaxRetries": 0}
    glue.update_job(JobName=name, JobUpdate=update)
    runs = [glue.start_job_run(JobName=name)["JobRunId"] for _ in range(2)]
    with pytest.raises(glue.exceptions.ConcurrentRunsExceededException):
        glue.start_job_run(JobName=name)
    glue.batch_stop_job_run(JobName=name, JobRunIds=runs)
    assert [ended(laptop_cloud, until, name, run)["JobRunState"] for run in runs] == ["STOPPED", "STOPPED"]
    assert glue.get_job(JobName=name)["Job"]["MaxRetries"] == 0


def test_a_job_that_is_not_there_is_not_updated_and_a_second_of_its_name_not_made(laptop_cloud: LaptopCloud) -> None:
    glue = laptop_cloud.client("glue")
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.update_job(JobName="none-such", JobUpdate={"Role": ROLE, "MaxRetries": 1})
    made(laptop_cloud, "twice", MaxRetries=1)
    with pytest.raises(glue.exceptions.AlreadyExistsException):
        made(laptop_cloud, "twice", MaxRetries=5)
    assert glue.get_job(JobName="twice")["Job"]["MaxRetries"] == 1


def test_a_run_that_is_over_cannot_be_stopped(laptop_cloud: LaptopCloud, until: Until) -> None:
    name = made(laptop_cloud, "over")
    run = ran(laptop_cloud, until, name)
    assert run["JobRunState"] == "SUCCEEDED"
    answer = laptop_cloud.client("glue").batch_stop_job_run(JobName=name, JobRunIds=[run["Id"]])
    assert answer["SuccessfulSubmissions"] == []
    assert answer["Errors"][0]["ErrorDetail"] == {
        "ErrorCode": "IllegalSessionStateException",
        "ErrorMessage": "Job run is in state SUCCEEDED",
    }


def test_a_script_or_package_that_is_not_in_s3_is_named(laptop_cloud: LaptopCloud, until: Until) -> None:
    run = ran(laptop_cloud, until, made(laptop_cloud, "scriptless", None))
    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"].startswith(f"LAUNCH ERROR | File s3://{BUCKET}/scriptless.py cannot be read: ")
    name = made(laptop_cloud, "packageless", DefaultArguments={"--extra-py-files": "not-a-url.zip"})
    assert "LAUNCH ERROR | File not-a-url.zip cannot be read" in ran(laptop_cloud, until, name)["ErrorMessage"]


def test_arguments_that_no_process_can_take_fail_the_run(laptop_cloud: LaptopCloud, until: Until) -> None:
    run = ran(laptop_cloud, until, made(laptop_cloud, "unfit", DefaultArguments={"--text": "a\x00b"}))
    assert run["JobRunState"] == "FAILED"
    assert "null byte" in run["ErrorMessage"]


def test_a_state_that_does_not_wait_gets_the_id_of_the_run(laptop_cloud: LaptopCloud, until: Until) -> None:
    name = made(laptop_cloud, "forgotten")
    done = executed(laptop_cloud, until, "glue:startJobRun", {"JobName": name})
    run_id = json.loads(done["output"])["JobRunId"]
    assert ended(laptop_cloud, until, name, run_id)["JobRunState"] == "SUCCEEDED"


STUBBORN = """
    import threading, time
    from pathlib import Path
    run = module("glue_process")
    run.STOP_SECONDS = 0.5
    plan = run.Plan(job="j", run_id="jr", role="r", region="us-east-1", account="000000000000", script="s3://b/k",
                    arguments={}, seconds=60.0, folder=Path(sys.argv[2]))
    class Stubborn(run.JobProcess):
        def _prepared(self):
            start = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
            return [sys.executable, "-c", start], {}
    process = Stubborn(plan=plan, pythons=None)
    running = threading.Thread(target=lambda: said.append(process.run()))
    said = []
    threading.excepthook = lambda failure: said.append(type(failure.exc_value).__name__)
    running.start()
    while not (plan.folder / "output.log").exists() or not process.output.read_text():
        time.sleep(0.05)
    process.stop()
    running.join(5)
    answer([running.is_alive(), said, process._process.returncode])
"""


def test_a_run_that_ignores_the_request_to_end_is_killed(tmp_path: Any) -> None:
    assert probe(STUBBORN, tmp_path) == [False, ["RunError"], -9]


HASTY = """
    import time
    from pathlib import Path
    from ministack.services import glue
    glue_jobs = module("glue_jobs")
    class Sleeping(glue_jobs.JobProcess):
        def _prepared(self):
            self.plan.folder.mkdir(parents=True)
            return [sys.executable, "-c", "import time; time.sleep(60)"], {}
    glue_jobs.JobProcess = Sleeping
    job = {"Name": "hasty", "Role": "r", "Command": {"ScriptLocation": "s3://b/k"}, "GlueVersion": "5.1",
           "NumberOfWorkers": 2, "WorkerType": "G.1X", "ExecutionClass": "STANDARD"}
    jobs = glue_jobs.GlueJobs(Path(sys.argv[2]), None)
    run = glue_jobs._new_run(job, {})
    glue._job_runs["hasty"] = [run]
    jobs.stop({"JobName": "hasty", "JobRunIds": [run["Id"]]})
    begun = time.monotonic()
    answer([jobs._once(job, run), run["JobRunState"], time.monotonic() - begun < 30])
"""


def test_a_run_that_is_stopped_before_its_process_begins_does_not_run_to_its_end(tmp_path: Any) -> None:
    assert probe(HASTY, tmp_path) == ["STOPPED", "STOPPED", True]


SPARKLESS = """
    from pathlib import Path
    run, host = module("glue_process"), module("host")
    def none():
        raise host.HostError("Spark needs Java 17: install it (OpenJDK 17) or set JAVA_HOME")
    host.java_home = none
    plan = run.Plan(job="j", run_id="jr", role="r", region="us-east-1", account="000000000000", script="s3://b/k",
                    arguments={"--engine": "spark"}, seconds=1.0, folder=Path(sys.argv[2]))
    try:
        run.JobProcess(plan=plan, pythons=None).run()
    except run.RunError as failure:
        answer([failure.state, str(failure)])
"""


def test_a_spark_job_on_a_machine_without_java_fails_with_what_to_install(tmp_path: Any) -> None:
    state, message = probe(SPARKLESS, tmp_path)
    assert state == "FAILED"
    assert "install it (OpenJDK 17)" in message
