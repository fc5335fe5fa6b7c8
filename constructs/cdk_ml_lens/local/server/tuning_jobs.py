"""SageMaker hyperparameter tuning jobs: training jobs with drawn values, one after another, the best of them named."""

from __future__ import annotations

import contextvars
import hashlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from .job_table import ACTIVE, Job, JobTable, Params
from .moto_bridge import ApiError
from .training_jobs import TrainingJobs
from .tuning_search import drawn

POLL_SECONDS = 0.1
OBJECTIVE = "_tuning_objective_metric"
MOST_FAILURES = 5
logger = logging.getLogger("laptop_cloud")
_TUNED = ("StaticHyperParameters", "HyperParameterRanges", "DefinitionName", "TuningObjective")
_BEST = ("TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingStartTime", "TrainingEndTime",
         "TrainingJobStatus")  # fmt: skip


class TuningJobs:
    """The tuning jobs of this cloud.

    Values are drawn at random, with the job's seed, whatever its strategy. Jobs run one after another; none is
    stopped early, and no earlier tuning is learnt from.

    Parameters
    ----------
    training
        Runs the training jobs.
    """

    def __init__(self, training: TrainingJobs) -> None:
        self.table = JobTable("HyperParameterTuningJob", longest=32)
        self._training = training
        self.operations: dict[str, Callable[[Params], Params]] = {
            "CreateHyperParameterTuningJob": self.create,
            "DescribeHyperParameterTuningJob": self.table.describe,
            "ListHyperParameterTuningJobs": self.table.list,
            "ListTrainingJobsForHyperParameterTuningJob": self.jobs_of,
            "StopHyperParameterTuningJob": self.stop,
        }

    def create(self, params: Params) -> Params:
        """Answer CreateHyperParameterTuningJob; the job runs in a thread."""
        definition = params.get("TrainingJobDefinition")
        if definition is None:
            raise ApiError("ValidationException", "the laptop cloud tunes one TrainingJobDefinition")
        wanted = _objective(params)["MetricName"]
        known = [item["Name"] for item in definition["AlgorithmSpecification"].get("MetricDefinitions") or []]
        if wanted not in known:
            raise ApiError("ValidationException", f"The objective metric {wanted} must be one of {known}")
        job = self.table.add(params, role=definition["RoleArn"], **_counted([]))
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(self._follow, job), daemon=True).start()
        return {"HyperParameterTuningJobArn": self.table.arn(job)}

    def stop(self, params: Params) -> Params:
        """Answer StopHyperParameterTuningJob: the training job that runs is stopped."""
        job = self.table.find(params)
        if self.table.status(job) not in ACTIVE:
            raise ApiError("ValidationException", f"The tuning job is in status {self.table.status(job)}.")
        self.table.change(job, "Stopping")
        for name in (item["TrainingJobName"] for item in self._of(job)):
            self._stop(name)
        return {}

    def jobs_of(self, params: Params) -> Params:
        """Answer ListTrainingJobsForHyperParameterTuningJob."""
        job = self.table.find(params)
        return {"TrainingJobSummaries": [_summary(job, item) for item in self._of(job)]}

    def _follow(self, job: Job) -> None:
        try:
            self._search(job)
        except Exception as failure:
            logger.exception("tuning job %s", job["HyperParameterTuningJobName"])
            self._finish(job, "Failed", FailureReason=f"InternalServerError: {failure}"[:1024])

    def _search(self, job: Job) -> None:
        limits = job["HyperParameterTuningJobConfig"]["ResourceLimits"]
        deadline = time.time() + float(limits.get("MaxRuntimeInSeconds", 30 * 86400))
        for number in range(int(limits["MaxNumberOfTrainingJobs"])):
            self._train(job, number, deadline)
            ended = self._of(job)
            job.update(_counted(ended))
            failed = sum(item["TrainingJobStatus"] == "Failed" for item in ended)
            if self.table.status(job) == "Stopping" or time.time() > deadline:
                self._finish(job, "Stopped")
                return
            if failed >= MOST_FAILURES and failed == len(ended):
                break
        if _scored(job, self._of(job)):
            self._finish(job, "Completed")
        else:
            self._finish(job, "Failed", FailureReason="No training job succeeded with the objective metric.")

    def _train(self, job: Job, number: int, deadline: float) -> None:
        """Run one training job to its end."""
        definition, tuning = job["TrainingJobDefinition"], job["HyperParameterTuningJobName"]
        name = f"{tuning}-{number + 1:03d}-{hashlib.sha256(f'{tuning}{number}'.encode()).hexdigest()[:8]}"
        values = drawn(job["HyperParameterTuningJobConfig"], number)
        static = definition.get("StaticHyperParameters") or {}
        request = {key: item for key, item in definition.items() if key not in _TUNED}
        if "CheckpointConfig" in request:
            place = f"{request['CheckpointConfig']['S3Uri'].rstrip('/')}/{name}"
            request["CheckpointConfig"] = {**request["CheckpointConfig"], "S3Uri": place}
        self._training.create(
            {
                **request, "TrainingJobName": name, "TuningJobArn": self.table.arn(job),
                "HyperParameters": {**static, **values, OBJECTIVE: _objective(job)["MetricName"]},
            }
        )  # fmt: skip
        while self._training.table.status(self._training.table.find({"TrainingJobName": name})) in ACTIVE:
            if time.time() > deadline:
                self._stop(name)
            time.sleep(POLL_SECONDS)

    def _stop(self, name: str) -> None:
        job = self._training.table.find({"TrainingJobName": name})
        if self._training.table.status(job) == "InProgress":
            self._training.stop({"TrainingJobName": name})

    def _of(self, job: Job) -> list[Job]:
        arn = self.table.arn(job)
        return [item for item in self._training.table.all() if item.get("TuningJobArn") == arn]

    def _finish(self, job: Job, status: str, **members: Any) -> None:
        scored = _scored(job, self._of(job))
        best = {"BestTrainingJob": scored[0]} if scored else {}
        self.table.change(job, status, HyperParameterTuningEndTime=time.time(), **best, **members)


def _objective(job: Params) -> Params:
    found: Params = job["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    return found


def _summary(job: Job, trained: Job) -> Params:
    """Return a training job as its tuning shows it."""
    tuned = drawn_names(job)
    shown = {key: trained[key] for key in _BEST if key in trained}
    shown["TunedHyperParameters"] = {name: trained["HyperParameters"][name] for name in tuned}
    metric = _objective(job)
    found = [item for item in trained.get("FinalMetricDataList") or [] if item["MetricName"] == metric["MetricName"]]
    if found and trained["TrainingJobStatus"] == "Completed":
        shown["FinalHyperParameterTuningJobObjectiveMetric"] = {**metric, "Value": found[0]["Value"]}
        shown["ObjectiveStatus"] = "Succeeded"
    return shown


def drawn_names(job: Job) -> list[str]:
    """Return the names of the hyperparameters that are searched."""
    ranges = job["HyperParameterTuningJobConfig"].get("ParameterRanges") or {}
    return [given["Name"] for kind in ranges.values() for given in kind]


def _scored(job: Job, trained: list[Job]) -> list[Params]:
    """Return the training jobs that have the metric, the best first."""
    shown = [_summary(job, item) for item in trained]
    found = [item for item in shown if "ObjectiveStatus" in item]
    sign = -1.0 if _objective(job)["Type"] == "Maximize" else 1.0
    return sorted(found, key=lambda item: sign * item["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])


def _counted(trained: list[Job]) -> Params:
    states = [item["TrainingJobStatus"] for item in trained]
    return {
        "TrainingJobStatusCounters": {
            "Completed": states.count("Completed"), "InProgress": states.count("InProgress"), "RetryableError": 0,
            "NonRetryableError": states.count("Failed"), "Stopped": states.count("Stopped"),
        },
        "ObjectiveStatusCounters": {
            "Succeeded": states.count("Completed"), "Pending": 0, "Failed": states.count("Failed"),
        },
    }  # fmt: skip
