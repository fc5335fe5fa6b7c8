"""SageMaker processing jobs as processes: inputs from S3, the entry point with a pinned Python, outputs to S3."""

from __future__ import annotations

import contextvars
import logging
import shutil
import threading
import time
from collections.abc import Callable
from typing import Any

from .host import HostError, Pythons
from .job_files import TransferError
from .job_process import Ended, Running
from .job_table import ACTIVE, Job, JobTable, Params, write_log
from .moto_bridge import ApiError
from .processing_run import ProcessingRun
from .settings import Settings

LOGS = "/aws/sagemaker/ProcessingJobs"
DAY = 86400
SEE_LOGS = "AlgorithmError: See job logs for more information"
logger = logging.getLogger("laptop_cloud")


class ProcessingJobs:
    """The processing jobs of this cloud.

    A job runs on one instance. Whatever its image, Python is the pinned ``model`` environment; other programs are this
    machine's. Inputs come from S3 in File mode. Outputs are written at the end, of completed jobs only.
    """

    def __init__(self, settings: Settings) -> None:
        self.table = JobTable("ProcessingJob")
        self._settings = settings
        self._pythons = Pythons(settings.python_command)
        self._running = Running()
        self.operations: dict[str, Callable[[Params], Params]] = {
            "CreateProcessingJob": self.create,
            "DescribeProcessingJob": self.table.describe,
            "ListProcessingJobs": self.table.list,
            "StopProcessingJob": self.stop,
        }

    def create(self, params: Params) -> Params:
        """Answer CreateProcessingJob; the job runs in a thread."""
        job = self.table.add(params)
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(self._follow, job), daemon=True).start()
        return {"ProcessingJobArn": self.table.arn(job)}

    def stop(self, params: Params) -> Params:
        """Answer StopProcessingJob."""
        job = self.table.find(params)
        status = self.table.status(job)
        if status not in ACTIVE:
            message = f"The request was rejected because the processing job is in status {status}."
            raise ApiError("ValidationException", message)
        self.table.change(job, "Stopping")
        self._running.stop(self.table.arn(job))
        return {}

    def end(self) -> None:
        """End every process."""
        self._running.kill_all()

    def _follow(self, job: Job) -> None:
        arn, name = self.table.arn(job), str(job["ProcessingJobName"])
        run = ProcessingRun(job=job, arn=arn, folder=self._settings.state_dir / "processing" / name)
        shutil.rmtree(run.folder, ignore_errors=True)  # of a job of that name in an earlier cloud
        run.folder.mkdir(parents=True)
        try:
            status, members = self._once(job, run)
        except (TransferError, HostError, ValueError) as failure:
            status, members = "Failed", {"FailureReason": str(failure)[:1024]}
        except Exception as failure:
            logger.exception("processing job %s", name)
            status, members = "Failed", {"FailureReason": f"InternalServerError: {failure}"[:1024]}
        if status == "Failed" and self._running.asked(arn):
            status = "Stopped"
            members.pop("FailureReason", None)
        if (message := run.message()) is not None:
            members["ExitMessage"] = message
        write_log(LOGS, f"{name}/algo-1-{int(job['CreationTime'])}", run.output())
        shutil.rmtree(run.root.folder, ignore_errors=True)
        self._running.end(arn)
        self.table.change(job, status, ProcessingEndTime=time.time(), **members)

    def _once(self, job: Job, run: ProcessingRun) -> tuple[str, dict[str, Any]]:
        run.prepare()
        script = run.script(self._pythons.ensure("model"))
        job["ProcessingStartTime"] = time.time()
        self._running.begin(self.table.arn(job), script)
        ended = script.run(limit=float((job.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds", DAY)))
        if ended.why == "ended" and ended.code == 0:
            run.upload()
        return _outcome(ended)


def _outcome(ended: Ended) -> tuple[str, dict[str, Any]]:
    if ended.why != "ended":
        return "Stopped", {}
    if ended.code != 0:
        return "Failed", {"FailureReason": f"{SEE_LOGS}, exit code: {ended.code}"}
    return "Completed", {}
