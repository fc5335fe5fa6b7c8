"""What an endpoint is at a moment: its fleets in service, and moto's record that DescribeEndpoint reads."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from ministack.core.responses import get_account_id, get_region
from moto.sagemaker.models import sagemaker_backends

from .model_shapes import Serving

Params = dict[str, Any]


@dataclass(kw_only=True)
class Variant:
    """One variant in service; ``slots`` bounds the requests at once of a serverless one."""

    name: str
    process: Serving | None
    weight: float
    instances: int
    slots: threading.BoundedSemaphore | None = None

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
class Fleet:
    """The model servers of one endpoint configuration."""

    config: Params
    variants: list[Variant]
    shadows: list[Variant] = field(default_factory=list)

    def processes(self) -> dict[str, Serving]:
        """Return what serves, by model."""
        serving = [variant.process for variant in (*self.variants, *self.shadows) if variant.process is not None]
        return {process.model_name: process for process in serving}

    def stop(self, *, but: Fleet | None = None) -> None:
        """End the servers that no other fleet uses."""
        kept = {} if but is None else but.processes()
        for name, process in self.processes().items():
            if kept.get(name) is not process:
                process.stop()


@dataclass(kw_only=True)
class Endpoint:
    """One endpoint: the fleet that serves, and during an update the one that takes a share of the traffic."""

    name: str
    live: Fleet | None = None
    incoming: Fleet | None = None
    share: float = 0.0
    settled: threading.Event = field(default_factory=threading.Event)

    @property
    def variants(self) -> list[Variant]:
        """Variants of the fleet in service."""
        return [] if self.live is None else self.live.variants


def described(name: str) -> Any:
    """Return moto's record of the endpoint, which DescribeEndpoint reads."""
    return sagemaker_backends[get_account_id()][get_region()].endpoints[name]


def show_in_service(shown: Any, endpoint: Endpoint) -> None:
    """Write into moto's record what serves now."""
    assert endpoint.live is not None
    shown.endpoint_config_name = endpoint.live.config["EndpointConfigName"]
    shown.data_capture_config = endpoint.live.config.get("DataCaptureConfig") or {}
    shown.production_variants = [variant.as_described() for variant in endpoint.variants]
    shown.failure_reason = None
    shown.endpoint_status = "InService"
