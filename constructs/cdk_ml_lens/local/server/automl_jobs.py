"""SageMaker AutoML jobs, which are not here: a job is taken and fails with that reason, not a made-up success."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .model_groups import prefix
from .moto_bridge import ApiError

Params = dict[str, Any]
REASON = "ClientError: the laptop cloud has no AutoML"


class AutoMlJobs:
    """The AutoML jobs of this cloud, all of them failed."""

    def __init__(self) -> None:
        self._jobs: dict[str, Params] = {}
        self.operations: dict[str, Callable[[Params], Params]] = {
            **dict.fromkeys(("CreateAutoMLJob", "CreateAutoMLJobV2"), self.create),
            **dict.fromkeys(("DescribeAutoMLJob", "DescribeAutoMLJobV2"), self.describe),
            "StopAutoMLJob": self.stop,
        }

    def create(self, params: Params) -> Params:
        """Answer CreateAutoMLJob and CreateAutoMLJobV2."""
        name, now = params["AutoMLJobName"], time.time()
        arn = f"{prefix()}:automl-job/{name.lower()}"
        if name in self._jobs:
            raise ApiError("ResourceInUse", f"AutoML job names must be unique within an account and region ({arn})")
        kept = {key: item for key, item in params.items() if key != "Tags"}
        self._jobs[name] = {
            **kept, "AutoMLJobArn": arn, "CreationTime": now, "EndTime": now, "LastModifiedTime": now,
            "AutoMLJobStatus": "Failed", "AutoMLJobSecondaryStatus": "Failed", "FailureReason": REASON,
        }  # fmt: skip
        return {"AutoMLJobArn": arn}

    def describe(self, params: Params) -> Params:
        """Answer DescribeAutoMLJob and DescribeAutoMLJobV2."""
        if params["AutoMLJobName"] not in self._jobs:
            raise ApiError("ResourceNotFound", f"AutoML job {params['AutoMLJobName']} not found")
        return dict(self._jobs[params["AutoMLJobName"]])

    def stop(self, params: Params) -> Params:
        """Answer StopAutoMLJob: nothing runs."""
        status = self.describe(params)["AutoMLJobStatus"]
        raise ApiError("ValidationException", f"The request was rejected because the AutoML job is in status {status}.")
