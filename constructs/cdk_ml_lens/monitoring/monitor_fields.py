"""MonitorFile and AnswerFields: what SageMaker AI's own monitor reads, and where answers are in it."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import aws_s3 as s3

from cdk_ml_lens.core.errors import Faults


@dataclass(frozen=True, kw_only=True)
class MonitorFile:
    """An object of a bucket: statistics, constraints or an analysis configuration.

    Parameters
    ----------
    bucket : IBucket
        Holds it.
    key : str
        Its key.

    Raises
    ------
    PropError
        When the key is empty or ends with a slash.
    """

    bucket: s3.IBucket
    key: str

    def __post_init__(self) -> None:
        faults = Faults("monitor file")
        plain = bool(self.key) and self.key == self.key.strip("/")
        faults.unless(plain, "key", "be the key of an object", self.key)
        faults.raise_any()

    @property
    def uri(self) -> str:
        """``s3://bucket/key``."""
        return f"s3://{self.bucket.bucket_name}/{self.key}"


@dataclass(frozen=True, kw_only=True)
class AnswerFields:
    """Where a request and an answer hold what is judged: a JMESPath for JSON, an index for CSV.

    Parameters
    ----------
    inference : str, optional
        The prediction. Default: none.
    probability : str, optional
        Its probability. Default: none.
    threshold : float, optional
        Probability from which on the class is positive. Default: none.
    features : str, optional
        The features. Default: the whole request.

    Raises
    ------
    PropError
        When the threshold is no probability, or there is no probability to compare with it.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_EndpointInput.html
    """

    inference: str | None = None
    probability: str | None = None
    threshold: float | None = None
    features: str | None = None

    def __post_init__(self) -> None:
        faults = Faults("answer fields")
        if self.threshold is not None:
            faults.within("threshold", self.threshold, 0, 1)
            faults.unless(self.probability is not None, "probability", "be given with a threshold", self.probability)
        faults.raise_any()

    @property
    def judge_answers(self) -> bool:
        """Whether an answer is named."""
        return self.inference is not None or self.probability is not None

    def render(self) -> dict[str, str | float]:
        """Return the properties of an EndpointInput."""
        wanted = {
            "InferenceAttribute": self.inference,
            "ProbabilityAttribute": self.probability,
            "ProbabilityThresholdAttribute": self.threshold,
            "FeaturesAttribute": self.features,
        }
        return {name: value for name, value in wanted.items() if value is not None}
