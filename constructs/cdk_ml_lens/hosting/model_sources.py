"""Other things than one model that a variant can serve: many models of one kind, or a chain of containers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_s3 as s3

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.hosting.images import InferenceImage
from cdk_ml_lens.hosting.model import ModelSource

_PREFIX = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")
_MIN_CONTAINERS, _MAX_CONTAINERS = 2, 15  # https://docs.aws.amazon.com/sagemaker/latest/dg/inference-pipelines.html


@dataclass(frozen=True, kw_only=True)
class MultiModelSource:
    """Every ``*.tar.gz`` below a prefix, loaded when a request names it (``TargetModel``).

    Parameters
    ----------
    bucket : IBucket
        Bucket of the artifacts.
    prefix : str
        Prefix below which they lie.
    image : InferenceImage, optional
        A container that can host many models. Default: scikit-learn.
    entry_point : str
        Script of each artifact. Default: ``inference.py``.
    cache : bool
        Keep models in memory between requests. Default: true.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/multi-model-endpoints.html. Lens best practice MLSUS05-BP04.
    """

    bucket: s3.IBucket
    prefix: str
    image: InferenceImage | None = None
    entry_point: str = "inference.py"
    cache: bool = True

    def __post_init__(self) -> None:
        faults = Faults("multi-model source")
        faults.unless(
            _PREFIX.fullmatch(self.prefix) is not None, "prefix", "be path levels of A-Z a-z 0-9 _ -", self.prefix
        )
        faults.raise_any()

    @property
    def environment(self) -> dict[str, str]:
        """Variables of the container."""
        return {"SAGEMAKER_PROGRAM": self.entry_point, "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}

    def container_image(self) -> InferenceImage:
        """Return the image, or the default one."""
        return InferenceImage.sklearn() if self.image is None else self.image

    def url(self) -> str:
        """Return the prefix as an ``s3://`` URL."""
        return f"s3://{self.bucket.bucket_name}/{self.prefix}/"


@dataclass(frozen=True, kw_only=True)
class PipelineSource:
    """A serial inference pipeline: each container's answer is the next one's request.

    Parameters
    ----------
    stages : sequence of ModelSource
        2 to 15 containers, in order.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/inference-pipelines.html
    """

    stages: Sequence[ModelSource]

    def __post_init__(self) -> None:
        faults = Faults("inference pipeline")
        count = len(self.stages)
        faults.unless(
            _MIN_CONTAINERS <= count <= _MAX_CONTAINERS,
            "stages",
            f"number {_MIN_CONTAINERS} to {_MAX_CONTAINERS}",
            count,
            "see inference-pipelines.html",
        )
        faults.raise_any()


AnyModel = ModelSource | MultiModelSource | PipelineSource
