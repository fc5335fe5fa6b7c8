"""Variant and DataCapture: the values that an endpoint is made of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_s3 as s3

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.hosting.model import ModelSource

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,62})")
_INSTANCE = re.compile(r"ml\.[a-z0-9-]+\.(medium|large|[0-9]*xlarge|metal)")
# Accelerators and families that new endpoints cannot have; see docs/hosting.md.
_DEAD = {
    "ml.eia1": "Elastic Inference ended",
    "ml.eia2": "Elastic Inference ended",
    "ml.p2": "P2 was retired",
}
_MAX_VARIANTS = 10  # API_CreateEndpointConfig, ProductionVariants


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One production variant on instances.

    Parameters
    ----------
    name : str
        Variant name; clients see it in each answer and may target it.
    model : ModelSource
        What it serves.
    instance_type : str
        SageMaker AI instance type. Default: ``ml.m5.large``.
    instance_count : int
        Instances at creation. Default: 1; two or more survive the loss of a zone.
    weight : float
        Share of the traffic, relative to the other variants. 0 is legal: the variant then only answers
        requests that target it. Default: 1.

    Raises
    ------
    PropError
        When the service would refuse a value.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html
    """

    name: str
    model: ModelSource
    instance_type: str = "ml.m5.large"
    instance_count: int = 1
    weight: float = 1.0

    def __post_init__(self) -> None:
        faults = Faults(f"variant {self.name!r}")
        faults.unless(_NAME.fullmatch(self.name) is not None, "name", "be 1 to 63 of A-Z a-z 0-9 -", self.name)
        faults.unless(
            _INSTANCE.fullmatch(self.instance_type) is not None,
            "instance_type",
            "be a SageMaker AI instance type",
            self.instance_type,
            "for example ml.m5.large",
        )
        family = self.instance_type.rsplit(".", 1)[0]
        faults.unless(family not in _DEAD, "instance_type", "be available", self.instance_type, _DEAD.get(family))
        faults.unless(self.instance_count >= 1, "instance_count", "be at least 1", self.instance_count)
        faults.unless(self.weight >= 0, "weight", "be at least 0", self.weight)
        faults.raise_any()


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


def check_variants(variants: Sequence[Variant]) -> None:
    """Raise a `PropError` unless the variants can form one endpoint."""
    faults = Faults("model endpoint")
    names = [variant.name for variant in variants]
    faults.unless(1 <= len(names) <= _MAX_VARIANTS, "variants", f"number 1 to {_MAX_VARIANTS}", len(names))
    faults.unless(len(set(names)) == len(names), "variants", "have a name each", names)
    weights = [variant.weight for variant in variants]
    faults.unless(not names or sum(weights) > 0, "variants", "have one weight over 0", weights)
    faults.raise_any()
