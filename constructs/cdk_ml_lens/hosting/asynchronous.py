"""AsyncInference: requests and answers through S3, with a queue in between."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns

from cdk_ml_lens.core.errors import Faults

_PREFIX = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")


@dataclass(frozen=True, kw_only=True)
class AsyncInference:
    """Makes an endpoint asynchronous.

    Parameters
    ----------
    bucket : IBucket, optional
        Where answers and failures go. Default: a new `SecureBucket` of the endpoint.
    prefix : str
        First part of the key: answers below ``<prefix>/answers/``, failures below ``<prefix>/failures/``.
        Default: ``async``.
    success_topic, error_topic : ITopic, optional
        Who is told of each answer or failure. Default: nobody.
    max_concurrent_per_instance : int, optional
        Requests that one container works on at once, 1 to 1000. Default: SageMaker AI chooses.

    Raises
    ------
    PropError
        When a value is out of range.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AsyncInferenceConfig.html.
    Lens best practice MLPERF05-BP02.
    """

    bucket: s3.IBucket | None = None
    prefix: str = "async"
    success_topic: sns.ITopic | None = None
    error_topic: sns.ITopic | None = None
    max_concurrent_per_instance: int | None = None

    def __post_init__(self) -> None:
        faults = Faults("asynchronous inference")
        faults.unless(
            _PREFIX.fullmatch(self.prefix) is not None, "prefix", "be path levels of A-Z a-z 0-9 _ -", self.prefix
        )
        if self.max_concurrent_per_instance is not None:
            faults.within("max_concurrent_per_instance", self.max_concurrent_per_instance, 1, 1000)
        faults.raise_any()
