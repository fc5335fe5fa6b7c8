"""Step Functions' ``glue:startJobRun``, with and without ``.sync``."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import glue, stepfunctions

from . import sfn_execution
from .glue_jobs import ACTIVE

PREFIX = "arn:aws:states:::glue:startJobRun"
POLL_SECONDS = 0.1
_SYNC = ("BatchStopJobRun", "GetJobRun", "GetJobRuns", "StartJobRun")
_TIMES = ("StartedOn", "LastModifiedOn", "CompletedOn")


def install() -> None:
    """Offer the integration; a state that times out and an execution that is stopped stop their run, as on AWS.

    Source: https://docs.aws.amazon.com/step-functions/latest/dg/connect-glue.html
    """
    stepfunctions._SERVICE_DISPATCH[PREFIX] = _start
    stepfunctions._invoke_resource_with_timeout = _limited(stepfunctions._invoke_resource_with_timeout)


def _limited(original: Callable[..., Any]) -> Callable[..., Any]:
    def invoke(resource: str, input_data: dict[str, Any], timeout: float) -> Any:
        if resource != f"{PREFIX}.sync":
            return original(resource, input_data, timeout)
        return _start(resource, input_data, float(timeout))

    return invoke


def _start(resource: str, arguments: dict[str, Any], limit: float | None = None) -> dict[str, Any]:
    _require(arguments["JobName"], _SYNC if resource.endswith(".sync") else ("StartJobRun",))
    status, _, body = glue._start_job_run(arguments)
    answer: dict[str, Any] = json.loads(body)
    if status >= 400:
        raise stepfunctions._ExecutionError(f"Glue.{answer['__type'].split('#')[-1]}", answer["message"])
    if not resource.endswith(".sync"):
        return answer
    run = _ended(arguments["JobName"], answer["JobRunId"], limit)
    shown = {name: value * 1000 if name in _TIMES else value for name, value in run.items()}
    if run["JobRunState"] != "SUCCEEDED":
        raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps(shown))
    return shown


def _require(job: str, actions: tuple[str, ...]) -> None:
    """Raise the error of a state whose role may not do this; for ``.sync`` Step Functions needs four actions.

    Source: https://docs.aws.amazon.com/step-functions/latest/dg/connect-glue.html
    """
    arn = f"arn:aws:glue:{get_region()}:{get_account_id()}:job/{job}"
    for action in actions:
        sfn_execution.require(f"glue:{action}", arn, service="Glue")


def _ended(job: str, run_id: str, limit: float | None) -> dict[str, Any]:
    """Return the last attempt of a run once it is over."""
    deadline = None if limit is None else time.monotonic() + limit
    while True:
        last = next(run for run in glue._job_runs[job] if run["Id"].split("_attempt_")[0] == run_id)
        if last["JobRunState"] not in ACTIVE and not _retried(job, last):
            return dict(last)
        late = deadline is not None and time.monotonic() > deadline
        if late or sfn_execution.aborted():
            glue._batch_stop_job_run({"JobName": job, "JobRunIds": [last["Id"]]})
            raise stepfunctions._ExecutionError("States.Timeout", f"Task timed out after {limit} seconds")
        time.sleep(POLL_SECONDS)


def _retried(job: str, run: dict[str, Any]) -> bool:
    """Tell whether another attempt follows."""
    return run["JobRunState"] == "FAILED" and int(run["Attempt"]) < int(glue._jobs[job].get("MaxRetries") or 0)
