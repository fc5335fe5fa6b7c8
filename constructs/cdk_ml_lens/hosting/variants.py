"""Variant and ServerlessVariant: what an endpoint is made of."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.hosting.autoscaling import Autoscaling
from cdk_ml_lens.hosting.model_sources import AnyModel

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,62})")
_INSTANCE = re.compile(r"ml\.[a-z0-9-]+\.(medium|large|[0-9]*xlarge|metal)")
# Accelerators and families that new endpoints cannot have.
_NO_EI = "Elastic Inference ended, see https://docs.aws.amazon.com/sagemaker/latest/dg/ei.html"
_DEAD = {
    "ml.eia1": _NO_EI,
    "ml.eia2": _NO_EI,
    "ml.p2": "P2 instances are retired, see https://aws.amazon.com/ec2/previous-generation/",
}
_SERVERLESS = "see API_ProductionVariantServerlessConfig"
_BURSTABLE = re.compile(r"ml\.t\d")
_MEMORY = (1024, 2048, 3072, 4096, 5120, 6144)
_MAX_SERVERLESS_CONCURRENCY = 200


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One production variant on instances.

    Parameters
    ----------
    name : str
        Variant name; clients see it in each answer and may target it.
    model : ModelSource, MultiModelSource or PipelineSource, optional
        What it serves. Default: nothing; `InferenceComponent`s are placed on it.
    instance_type : str
        SageMaker AI instance type. Default: ``ml.m5.large``.
    instance_count : int
        Instances at creation. Default: 1; two or more survive the loss of a zone.
    weight : float
        Share of the traffic, relative to the other variants. 0 is legal: the variant then only answers
        requests that target it. Default: 1.
    autoscaling : Autoscaling, optional
        Default: the count stays.
    shadow : bool
        It gets a copy of the other variant's requests and its answers are only logged. Default: false.

    Raises
    ------
    PropError
        When the service would refuse a value.

    Notes
    -----
    Sources: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html,
    https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-prerequisites.html (burstable instances).
    """

    name: str
    model: AnyModel | None = None
    instance_type: str = "ml.m5.large"
    instance_count: int = 1
    weight: float = 1.0
    autoscaling: Autoscaling | None = None
    shadow: bool = False

    def __post_init__(self) -> None:
        faults = Faults(f"variant {self.name!r}")
        _check_name(faults, self.name)
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
        faults.unless(
            self.autoscaling is None or _BURSTABLE.match(self.instance_type) is None,
            "instance_type",
            "not be burstable when autoscaled",
            self.instance_type,
            "AWS supports autoscaling on other families only: endpoint-auto-scaling-prerequisites.html",
        )
        faults.raise_any()


@dataclass(frozen=True, kw_only=True)
class ServerlessVariant:
    """The one variant of a serverless endpoint.

    Parameters
    ----------
    name : str
        Variant name.
    model : ModelSource
        What it serves; one container of at most 10 GB, without network isolation or VPC.
    memory_mb : int
        1024 to 6144 in steps of 1024, in MiB. Default: 2048.
    max_concurrency : int
        Most requests at once, 1 to 200. Default: 20.
    provisioned_concurrency : int, optional
        Warm slots, at most ``max_concurrency``. Default: none.
    autoscaling : Autoscaling, optional
        Of the provisioned concurrency. Default: it stays.

    Raises
    ------
    PropError
        When the service would refuse a value.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariantServerlessConfig.html
    """

    name: str
    model: AnyModel
    memory_mb: int = 2048
    max_concurrency: int = 20
    provisioned_concurrency: int | None = None
    autoscaling: Autoscaling | None = None

    def __post_init__(self) -> None:
        faults = Faults(f"serverless variant {self.name!r}")
        _check_name(faults, self.name)
        faults.unless(self.memory_mb in _MEMORY, "memory_mb", f"be one of {_MEMORY}", self.memory_mb, _SERVERLESS)
        faults.within("max_concurrency", self.max_concurrency, 1, _MAX_SERVERLESS_CONCURRENCY, _SERVERLESS)
        provisioned = self.provisioned_concurrency
        if provisioned is not None:
            faults.within("provisioned_concurrency", provisioned, 1, self.max_concurrency, _SERVERLESS)
        faults.unless(
            self.autoscaling is None or provisioned is not None,
            "provisioned_concurrency",
            "be given when it is autoscaled",
            provisioned,
        )
        faults.raise_any()


AnyVariant = Variant | ServerlessVariant


def _check_name(faults: Faults, name: str) -> None:
    faults.unless(_NAME.fullmatch(name) is not None, "name", "be 1 to 63 of A-Z a-z 0-9 -", name)
