"""The jobs of one kind that SageMaker knows: unique names, what Describe and List show, events of every change."""

from __future__ import annotations

import json
import re
import threading
import time
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch_logs, eventbridge

from . import callers
from .moto_bridge import ApiError

Params = dict[str, Any]
Job = dict[str, Any]
ACTIVE = ("InProgress", "Stopping")
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


class JobTable:
    """All jobs of one kind.

    Parameters
    ----------
    noun
        ``TrainingJob``, ``ProcessingJob`` or ``HyperParameterTuningJob``.
    longest
        Most characters of a name.
    """

    def __init__(self, noun: str, *, longest: int = 63) -> None:
        self.noun = noun
        self._longest = longest
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def add(self, params: Params, *, role: str = "", **more: Any) -> Job:
        """Take up a new job; ``role`` is that of the request unless it is given.

        Raises
        ------
        ApiError
            If the name is bad or taken, or the caller may not pass the role.
        """
        name, now = str(params.get(f"{self.noun}Name", "")), time.time()
        if not _NAME.fullmatch(name) or len(name) > self._longest:
            wanted = f"have up to {self._longest} letters, digits, -"
            raise ApiError("ValidationException", f"{self.noun}Name must {wanted}, got {name!r}")
        _require_role(role or params["RoleArn"])
        arn = f"arn:aws:sagemaker:{get_region()}:{get_account_id()}:{kebab(self.noun)}/{name.lower()}"
        shown = {key: value for key, value in params.items() if key != "Tags"}
        job = {**shown, f"{self.noun}Arn": arn, "CreationTime": now, "LastModifiedTime": now, **more}
        with self._lock:
            if name in self._jobs:
                kind = kebab(self.noun).replace("-", " ").capitalize()
                raise ApiError("ResourceInUse", f"{kind} names must be unique within an AWS account and region ({arn})")
            self._jobs[name] = job
        self.change(job, "InProgress")
        return job

    def arn(self, job: Job) -> str:
        """Return the ARN of a job."""
        return str(job[f"{self.noun}Arn"])

    def status(self, job: Job) -> str:
        """Return the status of a job."""
        return str(job[f"{self.noun}Status"])

    def find(self, params: Params) -> Job:
        """Return the job that a request names.

        Raises
        ------
        ApiError
            If there is none.
        """
        job = self._jobs.get(params[f"{self.noun}Name"])
        if job is None:
            raise ApiError("ResourceNotFound", f"Requested resource not found: {params[f'{self.noun}Name']}")
        return job

    def all(self) -> list[Job]:
        """Return all jobs, the oldest first."""
        return list(self._jobs.values())

    def describe(self, params: Params) -> Params:
        """Answer Describe…."""
        return dict(self.find(params))

    def list(self, params: Params) -> Params:
        """Answer List…: by part of the name and by status, the newest first, all on one page."""
        part, status = params.get("NameContains", ""), params.get("StatusEquals")
        found = [
            job for name, job in self._jobs.items() if part in name and status in (None, self.status(job))
        ]  # fmt: skip
        ended = f"{self.noun.removesuffix('Job')}EndTime"
        kept = [f"{self.noun}{end}" for end in ("Name", "Arn", "Status")] + ["CreationTime", "LastModifiedTime", ended]
        newest = sorted(found, key=lambda job: job["CreationTime"], reverse=params.get("SortOrder") != "Ascending")
        summaries = [{key: job[key] for key in kept if key in job} for job in newest]
        return {f"{self.noun}Summaries": summaries[: int(params.get("MaxResults", 100))]}

    def change(self, job: Job, status: str, **members: Any) -> None:
        """Set status and members of a job, and send the event of it.

        Source: https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
        """
        job.update({**members, f"{self.noun}Status": status, "LastModifiedTime": time.time()})
        announce(
            f"SageMaker {kebab(self.noun).replace('-', ' ').title()} State Change", self.arn(job), in_milliseconds(job)
        )


def kebab(noun: str) -> str:
    """Return a noun of the API as it stands in ARNs: ``training-job`` of ``TrainingJob``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", noun).lower()


def announce(title: str, arn: str, detail: Params) -> None:
    """Send an event of SageMaker to the default bus."""
    entry = {"Source": "aws.sagemaker", "DetailType": title, "Resources": [arn], "Detail": json.dumps(detail)}
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def in_milliseconds(value: Any, name: str = "") -> Any:
    """Return a description with its times as whole milliseconds, as events and Step Functions have them."""
    if isinstance(value, dict):
        return {key: in_milliseconds(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [in_milliseconds(item) for item in value]
    if isinstance(value, float) and name.endswith(("Time", "Timestamp")):
        return int(value * 1000)
    return value


def write_log(group: str, stream: str, text: str) -> None:
    """Write the lines of a job to CloudWatch Logs."""
    names = {"logGroupName": group, "logStreamName": stream}
    cloudwatch_logs._create_log_group(names)
    cloudwatch_logs._create_log_stream(names)
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": line} for line in text.splitlines() if line]
    cloudwatch_logs._put_log_events({**names, "logEvents": events})


def _require_role(role: str) -> None:
    context = {"iam:passedtoservice": "sagemaker.amazonaws.com"}
    if (who := callers.denied("iam:PassRole", role, context)) is not None:
        raise ApiError("AccessDeniedException", f"{who} is not authorized to perform: iam:PassRole on resource: {role}")
