"""What an endpoint is at a moment: its variants in service, and moto's record that DescribeEndpoint reads."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from ministack.core.responses import get_account_id, get_region
from moto.sagemaker.models import sagemaker_backends

from .model_process import ModelProcess

Params = dict[str, Any]


@dataclass(kw_only=True)
class Variant:
    """One production variant in service."""

    name: str
    process: ModelProcess
    weight: float
    instances: int

    def as_described(self) -> Params:
        """Return the variant as DescribeEndpoint shows it."""
        return {
            "VariantName": self.name,
            "CurrentWeight": self.weight,
            "DesiredWeight": self.weight,
            "CurrentInstanceCount": self.instances,
            "DesiredInstanceCount": self.instances,
        }


@dataclass(kw_only=True)
class Endpoint:
    """One endpoint: what serves now, and its configuration."""

    name: str
    config: Params = field(default_factory=dict)
    variants: list[Variant] = field(default_factory=list)
    settled: threading.Event = field(default_factory=threading.Event)

    def processes(self) -> dict[str, ModelProcess]:
        """Return the model servers in use, by model."""
        return {variant.process.model_name: variant.process for variant in self.variants}


def described(name: str) -> Any:
    """Return moto's record of the endpoint, which DescribeEndpoint reads."""
    return sagemaker_backends[get_account_id()][get_region()].endpoints[name]


def show_in_service(shown: Any, endpoint: Endpoint) -> None:
    """Write into moto's record what serves now."""
    shown.endpoint_config_name = endpoint.config["EndpointConfigName"]
    shown.data_capture_config = endpoint.config.get("DataCaptureConfig") or {}
    shown.production_variants = [variant.as_described() for variant in endpoint.variants]
    shown.failure_reason = None
    shown.endpoint_status = "InService"
