"""DataCapture: what of the traffic is kept, for monitoring and retraining."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import aws_s3 as s3

from cdk_ml_lens.core.errors import Faults


@dataclass(frozen=True, kw_only=True)
class DataCapture:
    """What of the traffic is kept, for monitoring and retraining.

    Parameters
    ----------
    percent : int
        Share of requests, 1 to 100. Default: 100.
    prefix : str
        First part of the key. Default: ``capture``.
    requests, responses : bool
        What is kept. Default: both.
    bucket : IBucket, optional
        Where it goes. Default: a new `SecureBucket` of the endpoint.

    Raises
    ------
    PropError
        When nothing would be kept.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DataCaptureConfig.html.
    Lens best practice MLPERF06-BP03.
    """

    percent: int = 100
    prefix: str = "capture"
    requests: bool = True
    responses: bool = True
    bucket: s3.IBucket | None = None

    def __post_init__(self) -> None:
        faults = Faults("data capture")
        faults.within("percent", self.percent, 1, 100, "leave the capture out to keep nothing")
        faults.unless(bool(self.prefix.strip("/")), "prefix", "not be empty", self.prefix)
        faults.unless(self.requests or self.responses, "requests", "be true when responses is false", self.requests)
        faults.raise_any()


EVERYTHING = DataCapture()
