"""Glue's job runs: StartJobRun runs the job's script as a real process and keeps the run's state as AWS shows it."""

from __future__ import annotations

import contextvars
import json
import logging
import secrets
import threading
import time
from pathlib import Path
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import glue
from ministack.services.cloudformation import provisioners

from . import glue_report, host
from .glue_process import JobProcess, Plan, RunError
from .moto_bridge import Answer, error
from .settings import Settings

logger = logging.getLogger("laptop_cloud")
ACTIVE = ("STARTING", "RUNNING", "STOPPING", "WAITING")
# MiniStack forgets these.
_KEPT: dict[str, Any] = {"ExecutionProperty": {"MaxConcurrentRuns": 1}, "ExecutionClass": "STANDARD"}
Run = dict[str, Any]


class GlueJobs:
    """All runs of this server."""

    def __init__(self, folder: Path, pythons: host.Pythons) -> None:
        self._folder = folder
        self._pythons = pythons
        self._lock = threading.Lock()
        self._processes: dict[str, JobProcess] = {}

    def start(self, data: dict[str, Any]) -> Answer:
        """Answer StartJobRun."""
        job = glue._jobs.get(data.get("JobName"))
        if job is None:
            return error("EntityNotFoundException", "Failed to start job run due to missing metadata")
        most = int((job.get("ExecutionProperty") or _KEPT["ExecutionProperty"]).get("MaxConcurrentRuns") or 1)
        with self._lock:
            runs = glue._job_runs.setdefault(job["Name"], [])
            if sum(run["JobRunState"] in ACTIVE for run in runs) >= most:
                return error("ConcurrentRunsExceededException", f"Concurrent runs exceeded for {job['Name']}")
            run = _new_run(job, data)
            runs.insert(0, run)
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(self._follow, job, run), daemon=True).start()
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps({"JobRunId": run["Id"]}).encode()

    def stop(self, data: dict[str, Any]) -> Answer:
        """Answer BatchStopJobRun."""
        done, failed = [], []
        runs = {run["Id"]: run for run in glue._job_runs.get(data.get("JobName"), [])}
        for run_id in data.get("JobRunIds", []):
            names = {"JobName": data["JobName"], "JobRunId": run_id}
            run = runs.get(run_id)
            if run is None or run["JobRunState"] not in ACTIVE:
                code, message = _refusal(run)
                failed.append({**names, "ErrorDetail": {"ErrorCode": code, "ErrorMessage": message}})
                continue
            run["JobRunState"] = "STOPPING"
            if (process := self._processes.get(run_id)) is not None:
                process.stop()
            done.append(names)
        body = json.dumps({"SuccessfulSubmissions": done, "Errors": failed}).encode()
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, body

    def end(self) -> None:
        """End every process."""
        for process in list(self._processes.values()):
            process.stop()

    def _follow(self, job: dict[str, Any], run: Run) -> None:
        """Run ``run`` to its end, and again while it fails and the job has retries; a timeout is not retried."""
        while self._once(job, run) == "FAILED" and run["Attempt"] < int(job.get("MaxRetries") or 0):
            again = {**_fresh(run), "Attempt": run["Attempt"] + 1, "PreviousRunId": run["Id"]}
            again["Id"] = f"{run['Id'].split('_attempt_')[0]}_attempt_{again['Attempt']}"
            with self._lock:
                glue._job_runs.setdefault(job["Name"], []).insert(0, again)
            run = again

    def _once(self, job: dict[str, Any], run: Run) -> str:
        process = JobProcess(plan=_plan(job, run, self._folder), pythons=self._pythons)
        self._processes[run["Id"]] = process
        if run["JobRunState"] == "STOPPING":  # the request came before there was a process
            process.stop()
        else:
            _change(run, "RUNNING")
        state = "SUCCEEDED"
        try:
            process.run()
        except RunError as failure:
            state, run["ErrorMessage"] = failure.state, str(failure)
        except Exception as failure:
            logger.exception("Glue run %s", run["Id"])
            state, run["ErrorMessage"] = "FAILED", f"internal: {failure}"
        del self._processes[run["Id"]]
        if run["JobRunState"] == "STOPPING":
            state = "STOPPED"
            run.pop("ErrorMessage", None)
        run["LogGroupName"] = process.plan.arguments.get("--custom-logGroup-prefix", glue_report.LOGS)
        written = {"output": process.output, "error": process.errors}
        glue_report.write_logs(run["Id"], written, prefix=run["LogGroupName"])
        run["CompletedOn"] = int(time.time())
        run["ExecutionTime"] = run["CompletedOn"] - run["StartedOn"]
        _change(run, state)
        glue_report.announce(run)
        return state


_jobs: list[GlueJobs] = []


def install(settings: Settings) -> None:
    """Run jobs for real, and keep the properties of a job that limit its runs."""
    jobs = GlueJobs(settings.state_dir / "glue", host.Pythons(settings.python_command))
    _jobs[:] = [jobs]
    provisioners._GLUE_JOB_DEFAULTS.update(_KEPT)
    create, update = glue._create_job, glue._update_job

    def create_job(data: dict[str, Any]) -> Answer:
        answer: Answer = create(data)
        if answer[0] < 400:
            glue._jobs[data["Name"]].update({name: data.get(name, default) for name, default in _KEPT.items()})
        return answer

    def update_job(data: dict[str, Any]) -> Answer:
        answer: Answer = update(data)
        if answer[0] < 400:
            given = data.get("JobUpdate", {})
            glue._jobs[data["JobName"]].update({name: given[name] for name in _KEPT if name in given})
        return answer

    glue._create_job, glue._update_job = create_job, update_job
    glue._start_job_run, glue._batch_stop_job_run = jobs.start, jobs.stop


def stop() -> None:
    """End every run."""
    for jobs in _jobs:
        jobs.end()


def _refusal(run: Run | None) -> tuple[str, str]:
    if run is None:
        return "EntityNotFoundException", "Job run not found"
    return "IllegalSessionStateException", f"Job run is in state {run['JobRunState']}"


def _new_run(job: dict[str, Any], data: dict[str, Any]) -> Run:
    limits = {name: job[name] for name in ("GlueVersion", "NumberOfWorkers", "WorkerType", "ExecutionClass")}
    given = {name: data[name] for name in (*limits, "SecurityConfiguration") if name in data}
    return {
        **_fresh({**limits, **given}),
        "Id": f"jr_{secrets.token_hex(32)}",
        "JobName": job["Name"],
        "Attempt": 0,
        "Arguments": data.get("Arguments", {}),
        "Timeout": int(data.get("Timeout") or job.get("Timeout") or 2880),
        "LogGroupName": "/aws-glue/jobs",
        "PredecessorRuns": [],
    }


def _fresh(run: Run) -> Run:
    now = int(time.time())
    kept = {name: value for name, value in run.items() if name not in ("CompletedOn", "ErrorMessage")}
    return {**kept, "StartedOn": now, "LastModifiedOn": now, "ExecutionTime": 0, "JobRunState": "STARTING"}


def _plan(job: dict[str, Any], run: Run, folder: Path) -> Plan:
    fixed = job.get("NonOverridableArguments") or {}
    arguments = {**(job.get("DefaultArguments") or {}), **run["Arguments"], **fixed}
    return Plan(
        job=job["Name"], run_id=run["Id"], role=job.get("Role", ""), region=get_region(), account=get_account_id(),
        script=job["Command"]["ScriptLocation"], arguments={key: str(value) for key, value in arguments.items()},
        seconds=run["Timeout"] * 60.0, folder=folder / run["Id"],
    )  # fmt: skip


def _change(run: Run, state: str) -> None:
    run["LastModifiedOn"] = int(time.time())
    run["JobRunState"] = state
