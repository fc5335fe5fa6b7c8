"""Glue job runs on the laptop cloud are real processes with the job's arguments, packages, role and limits."""

from __future__ import annotations

import io
import json
import textwrap
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Deploy, Until
from tests.local.support import policy, role, write_assembly

pytestmark = pytest.mark.laptop_cloud
Job = Callable[..., str]
ENDED = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT")
ECHO = """
    import json, os, sys
    import boto3, polars
    from greetings import WORD
    print(json.dumps({"arguments": sys.argv[1:], "word": WORD, "polars": polars.__version__}))
    boto3.client("glue").get_table(DatabaseName="none", Name="none")
"""
WORK = """
    import sys, boto3
    boto3.client("s3").put_object(Bucket="glue-scripts", Key="done/" + sys.argv[-1], Body=b"1")
"""
SLEEP = "import time; time.sleep(60)"


@pytest.fixture
def job(laptop_cloud: LaptopCloud, deploy_template: Deploy) -> Job:
    """Return a function that deploys a job with the given script and returns its name."""

    def make(name: str, code: str, **properties: Any) -> str:
        upload(laptop_cloud, f"{name}.py", textwrap.dedent(code).encode())
        return deploy_template(name, template(name, **properties), Job={"Ref": "Job"}).outputs["Job"]

    return make


def template(name: str, **properties: Any) -> dict[str, Any]:
    command = {"Name": "glueetl", "ScriptLocation": f"s3://glue-scripts/{name}.py", "PythonVersion": "3"}
    values = {"Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Command": command, "GlueVersion": "5.1", **properties}
    return {"Role": role("glue.amazonaws.com"), "Job": {"Type": "AWS::Glue::Job", "Properties": values}}


def upload(cloud: LaptopCloud, key: str, body: bytes) -> None:
    cloud.client("s3").create_bucket(Bucket="glue-scripts")
    cloud.client("s3").put_object(Bucket="glue-scripts", Key=key, Body=body)


def package(**modules: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, code in modules.items():
            archive.writestr(f"{name}.py", code)
    return buffer.getvalue()


def finished(cloud: LaptopCloud, until: Until, name: str, run_id: str, *, seconds: float = 120) -> dict[str, Any]:
    def probe() -> dict[str, Any] | None:
        run: dict[str, Any] = cloud.client("glue").get_job_run(JobName=name, RunId=run_id)["JobRun"]
        return run if run["JobRunState"] in ENDED else None

    ended: dict[str, Any] = until(probe, seconds=seconds)
    return ended


def test_a_run_gets_default_and_run_arguments_its_packages_and_the_laptop_cloud(
    laptop_cloud: LaptopCloud, job: Job, until: Until
) -> None:
    upload(laptop_cloud, "extra.zip", package(greetings="WORD = 'hello'"))
    defaults = {"--extra-py-files": "s3://glue-scripts/extra.zip", "--a": "1", "--b": "2", "--flag": ""}
    name = job("Echo", ECHO, DefaultArguments=defaults)
    glue = laptop_cloud.client("glue")
    run_id = glue.start_job_run(JobName=name, Arguments={"--b": "3"})["JobRunId"]
    run = finished(laptop_cloud, until, name, run_id)
    assert run["JobRunState"] == "FAILED"  # the last line asked this cloud's catalog for a table that is not there
    assert "EntityNotFoundException" in run["ErrorMessage"]
    logs = laptop_cloud.client("logs")
    (event,) = logs.get_log_events(logGroupName="/aws-glue/jobs/output", logStreamName=run_id)["events"]
    said = json.loads(event["message"])
    words = " ".join(said["arguments"])
    assert f"--JOB_NAME {name} --JOB_RUN_ID {run_id}" in words
    assert "--a 1 --b 3 --flag" in words
    assert (said["word"], said["polars"]) == ("hello", "2.1.0")


def test_a_failed_run_is_tried_again_as_often_as_the_job_says(
    laptop_cloud: LaptopCloud, job: Job, until: Until
) -> None:
    name = job("Again", "raise ValueError('no such column')", MaxRetries=1)
    glue = laptop_cloud.client("glue")
    first = glue.start_job_run(JobName=name)["JobRunId"]
    run = (
        finished(laptop_cloud, until, name, f"{first}_attempt_1")
        if until(lambda: len(glue.get_job_runs(JobName=name)["JobRuns"]) == 2, seconds=120)
        else {}
    )
    assert (run["Attempt"], run["PreviousRunId"]) == (1, first)
    assert run["ErrorMessage"] == "ValueError: no such column"


def test_runs_beyond_the_jobs_concurrency_are_refused_and_a_run_can_be_stopped(
    laptop_cloud: LaptopCloud, job: Job, until: Until
) -> None:
    name, glue = job("Slow", SLEEP), laptop_cloud.client("glue")
    run_id = glue.start_job_run(JobName=name)["JobRunId"]
    with pytest.raises(glue.exceptions.ConcurrentRunsExceededException):
        glue.start_job_run(JobName=name)
    answer = glue.batch_stop_job_run(JobName=name, JobRunIds=[run_id, "jr_none"])
    assert [item["JobRunId"] for item in answer["SuccessfulSubmissions"]] == [run_id]
    assert [item["JobRunId"] for item in answer["Errors"]] == ["jr_none"]
    assert finished(laptop_cloud, until, name, run_id)["JobRunState"] == "STOPPED"


def machine(cloud: LaptopCloud, name: str, *, timeout: int = 60, role: str = "any") -> str:
    parameters = {"JobName": name, "Arguments": {"--key.$": "$.key"}}
    task = {"Type": "Task", "Resource": "arn:aws:states:::glue:startJobRun.sync", "Parameters": parameters, "End": True}
    definition = {"StartAt": "Run", "States": {"Run": {**task, "TimeoutSeconds": timeout}}}
    arn: str = cloud.client("stepfunctions").create_state_machine(
        name=f"run-{name}", definition=json.dumps(definition), roleArn=f"arn:aws:iam::000000000000:role/{role}"
    )["stateMachineArn"]
    return arn


def executed(cloud: LaptopCloud, until: Until, arn: str, key: str) -> dict[str, Any]:
    states = cloud.client("stepfunctions")
    execution = states.start_execution(stateMachineArn=arn, input=json.dumps({"key": key}))["executionArn"]

    def probe() -> dict[str, Any] | None:
        described: dict[str, Any] = states.describe_execution(executionArn=execution)
        return described if described["status"] != "RUNNING" else None

    ended: dict[str, Any] = until(probe, seconds=120)
    return ended


def test_a_state_machine_waits_for_the_run_and_gets_it_as_its_output(
    laptop_cloud: LaptopCloud, job: Job, until: Until
) -> None:
    arn = machine(laptop_cloud, job("Sync", WORK))
    done = executed(laptop_cloud, until, arn, "sync")
    assert done["status"] == "SUCCEEDED"
    assert json.loads(done["output"])["JobRunState"] == "SUCCEEDED"
    laptop_cloud.client("s3").head_object(Bucket="glue-scripts", Key="done/sync")


def test_a_state_machine_fails_with_the_run_as_its_cause(laptop_cloud: LaptopCloud, job: Job, until: Until) -> None:
    failed = executed(laptop_cloud, until, machine(laptop_cloud, job("Broken", "raise KeyError('x')")), "any")
    assert (failed["status"], failed["error"]) == ("FAILED", "States.TaskFailed")
    assert json.loads(failed["cause"])["ErrorMessage"] == "KeyError: 'x'"
    missing = executed(laptop_cloud, until, machine(laptop_cloud, "none-such"), "any")
    assert missing["error"] == "Glue.EntityNotFoundException"


def test_a_state_that_times_out_stops_its_run(laptop_cloud: LaptopCloud, job: Job, until: Until) -> None:
    name = job("Endless", SLEEP)
    ended = executed(laptop_cloud, until, machine(laptop_cloud, name, timeout=2), "any")
    assert ended["error"] == "States.Timeout"
    (run,) = laptop_cloud.client("glue").get_job_runs(JobName=name)["JobRuns"]
    assert finished(laptop_cloud, until, name, run["Id"])["JobRunState"] == "STOPPED"


def test_an_execution_that_is_stopped_stops_its_run(laptop_cloud: LaptopCloud, job: Job, until: Until) -> None:
    name, states = job("Abandoned", SLEEP), laptop_cloud.client("stepfunctions")
    arn = machine(laptop_cloud, name)
    execution = states.start_execution(stateMachineArn=arn, input='{"key": "any"}')["executionArn"]
    glue = laptop_cloud.client("glue")
    (run,) = until(lambda: glue.get_job_runs(JobName=name)["JobRuns"])
    states.stop_execution(executionArn=execution)
    assert finished(laptop_cloud, until, name, run["Id"])["JobRunState"] == "STOPPED"


def test_the_end_of_a_run_is_an_event(
    laptop_cloud: LaptopCloud, job: Job, until: Until, collected: Callable[..., list[str]]
) -> None:
    sqs, events = laptop_cloud.client("sqs"), laptop_cloud.client("events")
    queue = sqs.create_queue(QueueName="glue-ended")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    name = job("Told", "import sys; sys.exit('nothing to do')")
    pattern = {"source": ["aws.glue"], "detail-type": ["Glue Job State Change"], "detail": {"jobName": [name]}}
    events.put_rule(Name="glue-ended", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="glue-ended", Targets=[{"Id": "q", "Arn": arn}])
    laptop_cloud.client("glue").start_job_run(JobName=name)
    (body,) = collected(queue, 1)
    detail = json.loads(body)["detail"]
    assert (detail["state"], detail["message"]) == ("FAILED", "SystemExit: nothing to do")
    now = datetime.now(UTC)
    (point,) = laptop_cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Events", MetricName="TriggeredRules", Dimensions=[{"Name": "RuleName", "Value": "glue-ended"}],
        StartTime=now - timedelta(minutes=5), EndTime=now + timedelta(minutes=5), Period=3600, Statistics=["Sum"],
    )["Datapoints"]  # fmt: skip
    assert point["Sum"] == 1


READ = """
    import sys, boto3
    boto3.client("s3").get_object(Bucket="glue-scripts", Key=sys.argv[-1])
"""


def test_with_iam_enforced_a_job_reads_what_its_role_allows(guarded: LaptopCloud, tmp_path: Path, until: Until) -> None:
    upload(guarded, "Role.py", textwrap.dedent(READ).encode())
    for key in ("mine", "theirs"):
        guarded.client("s3").put_object(Bucket="glue-scripts", Key=key, Body=b"1")
    allowed = policy(("s3:GetObject", ["arn:aws:s3:::glue-scripts/Role.py", "arn:aws:s3:::glue-scripts/mine"]))
    resources = template("Role")
    resources["Role"] = role("glue.amazonaws.com", Policies=[{"PolicyName": "read", "PolicyDocument": allowed}])
    document = {"Resources": resources, "Outputs": {"Job": {"Value": {"Ref": "Job"}}}}
    name = guarded.deploy(write_assembly(tmp_path, "Role", document), "Role").outputs["Job"]
    found = {}
    for key in ("mine", "theirs"):
        run_id = guarded.client("glue").start_job_run(JobName=name, Arguments={"--key": key})["JobRunId"]
        found[key] = finished(guarded, until, name, run_id)
    assert found["mine"]["JobRunState"] == "SUCCEEDED"
    assert "AccessDenied" in found["theirs"]["ErrorMessage"]


@pytest.mark.parametrize("missing", ["BatchStopJobRun", "GetJobRun", "GetJobRuns", "StartJobRun"])
def test_with_iam_enforced_a_state_machine_needs_each_action_on_the_job(
    missing: str, guarded: LaptopCloud, until: Until
) -> None:
    actions = {"BatchStopJobRun", "GetJobRun", "GetJobRuns", "StartJobRun"} - {missing}
    allowed = policy(([f"glue:{action}" for action in sorted(actions)], "*"))
    principal = {"Service": "states.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [statement]}
    iam = guarded.client("iam")
    iam.create_role(RoleName=f"without-{missing}", AssumeRolePolicyDocument=json.dumps(trust))
    iam.put_role_policy(RoleName=f"without-{missing}", PolicyName="own", PolicyDocument=json.dumps(allowed))
    ended = executed(guarded, until, machine(guarded, f"none-{missing}", role=f"without-{missing}"), "any")
    assert ended["error"] == "Glue.AccessDeniedException"
    assert f"glue:{missing}" in ended["cause"]
