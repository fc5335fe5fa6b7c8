"""SageMaker training jobs as processes: inputs from S3, a pinned Python, spot and limits, the artifact back to S3."""

from __future__ import annotations

import contextvars
import logging
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import training_run
from .host import HostError, Pythons
from .job_files import TransferError
from .job_process import Ended, Running
from .job_table import ACTIVE, Job, JobTable, Params, write_log
from .moto_bridge import ApiError
from .settings import Settings
from .spot_fault import SpotFault
from .training_contract import ContractError
from .training_run import TrainingRun

LOGS = "/aws/sagemaker/TrainingJobs"
DAY = 86400
POLL_SECONDS = 0.05
logger = logging.getLogger("laptop_cloud")
_LIMITS = {"limit": "MaxRuntimeExceeded", "stopped": "Stopped", "interrupted": "MaxWaitTimeExceeded"}
_SAID = {
    "Starting": "Preparing the instances for training", "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Interrupted": "The training job was interrupted: no spot capacity", "Stopping": "Stopping the training job",
    "Uploading": "Uploading generated training model", "Completed": "Training job completed",
    "Failed": "Training job failed", "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
    "MaxWaitTimeExceeded": "Training job waited longer than MaxWaitTimeInSeconds",
}  # fmt: skip


class TrainingJobs:
    """The training jobs of this cloud.

    A job runs once on one instance. Pipe mode, several instances and built-in algorithms are refused as the job's
    failure. With network isolation the script gets neither credentials nor an endpoint.
    """

    def __init__(self, settings: Settings) -> None:
        self.table = JobTable("TrainingJob")
        self._settings = settings
        self._pythons = Pythons(settings.python_command)
        self._running = Running()
        self.operations: dict[str, Callable[[Params], Params]] = {
            "CreateTrainingJob": self.create,
            "DescribeTrainingJob": self.table.describe,
            "ListTrainingJobs": self.table.list,
            "StopTrainingJob": self.stop,
        }

    def create(self, params: Params) -> Params:
        """Answer CreateTrainingJob; the job runs in a thread."""
        _refuse(params)
        job = self.table.add(params, SecondaryStatus="Starting", SecondaryStatusTransitions=[])
        self._enter(job, "Starting")
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(self._follow, job), daemon=True).start()
        return {"TrainingJobArn": self.table.arn(job)}

    def stop(self, params: Params) -> Params:
        """Answer StopTrainingJob."""
        job = self.table.find(params)
        status = self.table.status(job)
        if status not in ACTIVE:
            message = f"The request was rejected because the training job is in status {status}."
            raise ApiError("ValidationException", message)
        self._enter(job, "Stopping", status="Stopping")
        self._running.stop(self.table.arn(job))
        return {}

    def end(self) -> None:
        """End every process."""
        self._running.kill_all()

    def _follow(self, job: Job) -> None:
        run = TrainingRun(job=job, arn=self.table.arn(job), folder=self._folder(job), running=self._running)
        try:
            self._once(job, run)
        except (ContractError, TransferError, HostError, ValueError) as failure:
            self._finish(job, "Failed", "Failed", FailureReason=str(failure)[:1024])
        except Exception as failure:
            logger.exception("training job %s", job["TrainingJobName"])
            self._finish(job, "Failed", "Failed", FailureReason=f"InternalServerError: {failure}"[:1024])
        finally:
            write_log(LOGS, f"{job['TrainingJobName']}/{training_run.HOST}-{int(job['CreationTime'])}", run.output())
            self._running.end(self.table.arn(job))
            shutil.rmtree(run.folder / "ml", ignore_errors=True)

    def _once(self, job: Job, run: TrainingRun) -> None:
        """Run a job to its end, with a new attempt after each interruption."""
        run.check()
        python = self._pythons.ensure("model")
        job["TrainingStartTime"] = begun = time.time()
        spot, attempt = self._spot(job), 0
        while True:
            ended = self._attempt(job, run, python, spot=spot, attempt=attempt, begun=begun)
            if ended.why != "interrupted":
                break
            self._enter(job, "Interrupted")
            self._wait(job, min(spot.wait, begun + _waits(job) - time.time()))
            if time.time() - begun >= _waits(job):
                break
            attempt += 1
            self._enter(job, "Starting")
        self._conclude(job, run, ended)

    def _attempt(
        self, job: Job, run: TrainingRun, python: Path, *, spot: SpotFault, attempt: int, begun: float
    ) -> Ended:
        self._enter(job, "Downloading")
        run.prepare()
        script = run.script(python)
        self._enter(job, "Training")
        self._running.begin(self.table.arn(job), script)
        spot.watch(script, attempt)
        since = time.time()
        ended = run.execute(script, limit=_runs(job) - (since - begun))
        job["TrainingTimeInSeconds"] = job.get("TrainingTimeInSeconds", 0) + max(1, round(time.time() - since))
        return ended

    def _conclude(self, job: Job, run: TrainingRun, ended: Ended) -> None:
        """Write what the job leaves and set its last status."""
        job["TrainingEndTime"] = time.time()
        job["BillableTimeInSeconds"] = job["TrainingTimeInSeconds"]
        job["FinalMetricDataList"] = run.metrics()
        if ended.why == "ended" and ended.code != 0:
            self._finish(job, "Failed", "Failed", FailureReason=run.reason(ended.code))
            return
        if ended.why == "interrupted":
            self._finish(job, "Stopped", _LIMITS["interrupted"])
            return
        if ended.why != "stopped":
            self._enter(job, "Uploading")
        job["ModelArtifacts"] = {"S3ModelArtifacts": run.upload()}
        if ended.why == "ended":
            self._finish(job, "Completed", "Completed")
        else:
            self._finish(job, "Stopped", _LIMITS[ended.why])

    def _finish(self, job: Job, status: str, secondary: str, **members: Any) -> None:
        if status == "Failed" and self._running.asked(self.table.arn(job)):
            status, secondary, members = "Stopped", "Stopped", {}
        job.update(members)
        self._enter(job, secondary, status=status)

    def _enter(self, job: Job, secondary: str, *, status: str = "") -> None:
        """Record a step of the job; one that is being stopped stays so until its end."""
        now, steps = time.time(), job["SecondaryStatusTransitions"]
        if steps:
            steps[-1].setdefault("EndTime", now)
        steps.append({"Status": secondary, "StartTime": now, "StatusMessage": _SAID[secondary]})
        self.table.change(job, status or self.table.status(job), SecondaryStatus=secondary)

    def _wait(self, job: Job, seconds: float) -> None:
        """Wait for capacity; a job that is stopped waits no longer."""
        until = time.time() + seconds
        while time.time() < until and not self._running.asked(self.table.arn(job)):
            time.sleep(POLL_SECONDS)

    def _folder(self, job: Job) -> Path:
        return self._settings.state_dir / "training" / str(job["TrainingJobName"])

    def _spot(self, job: Job) -> SpotFault:
        if not job.get("EnableManagedSpotTraining"):
            return SpotFault()
        return SpotFault.of(job.get("Environment") or {}, self._settings.state_dir)


def _runs(job: Params) -> float:
    return float((job.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds", DAY))


def _waits(job: Params) -> float:
    return float((job.get("StoppingCondition") or {}).get("MaxWaitTimeInSeconds", _runs(job)))


def _refuse(params: Params) -> None:
    """Refuse a request that SageMaker refuses."""
    limits = params.get("StoppingCondition") or {}
    if params.get("EnableManagedSpotTraining") and "MaxWaitTimeInSeconds" not in limits:
        raise ApiError("ValidationException", "MaxWaitTimeInSeconds must be set when EnableManagedSpotTraining is true")
    if _waits(params) < _runs(params):
        raise ApiError("ValidationException", "MaxWaitTimeInSeconds must be at least MaxRuntimeInSeconds")
