"""Inference components: models placed on an endpoint that has none of its own, found by name."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from ministack.core.responses import get_account_id, get_region

from .endpoint_state import Params, Variant
from .model_process import ModelFailedError, ModelProcesses
from .model_shapes import start
from .moto_bridge import ApiError

if TYPE_CHECKING:
    from .endpoints import Endpoints


class Components:
    """The inference components of this cloud.

    Parameters
    ----------
    endpoints
        Where they are placed.
    processes
        Starts their model servers.
    """

    def __init__(self, endpoints: Endpoints, processes: ModelProcesses) -> None:
        self._endpoints = endpoints
        self._processes = processes
        self._made: dict[str, tuple[Params, Variant]] = {}
        self._lock = threading.Lock()
        self.operations: dict[str, Callable[[Params], Params]] = {
            "CreateInferenceComponent": self.create,
            "DescribeInferenceComponent": self.describe,
            "DeleteInferenceComponent": self.delete,
        }

    def find(self, endpoint: str, name: str) -> Variant | None:
        """Return what serves a component of an endpoint."""
        params, variant = self._made.get(name, ({}, None))
        return variant if params.get("EndpointName") == endpoint else None

    def create(self, params: Params) -> Params:
        """Place a model on an endpoint; returns when it is InService, unlike SageMaker, which answers at once."""
        name = params["InferenceComponentName"]
        endpoint = self._endpoints.find(params["EndpointName"])
        if endpoint is None or params["VariantName"] not in [variant.name for variant in endpoint.variants]:
            raise ApiError("ValidationException", f"Endpoint {params['EndpointName']} has no such variant.")
        with self._lock:
            if name in self._made:
                raise ApiError("ValidationException", f"Inference component {name} already exists.")
            process = start(params["Specification"]["ModelName"], self._processes)
            try:
                process.wait_until_ready()
            except ModelFailedError as failure:
                process.stop()
                raise ApiError("ValidationException", str(failure)) from failure
            self._made[name] = (params, Variant(name=params["VariantName"], process=process, weight=1.0, instances=1))
        return {"InferenceComponentArn": _arn(name)}

    def describe(self, params: Params) -> Params:
        """Return a component."""
        made, _ = self._existing(params)
        copies = made.get("RuntimeConfig", {}).get("CopyCount", 1)
        return {
            **made,
            "InferenceComponentArn": _arn(made["InferenceComponentName"]),
            "InferenceComponentStatus": "InService",
            "RuntimeConfig": {"DesiredCopyCount": copies, "CurrentCopyCount": copies},
        }

    def delete(self, params: Params) -> Params:
        """Remove a component and end its server."""
        _, variant = self._existing(params)
        del self._made[params["InferenceComponentName"]]
        assert variant.process is not None
        variant.process.stop()
        return {}

    def _existing(self, params: Params) -> tuple[Params, Variant]:
        name = params["InferenceComponentName"]
        if name not in self._made:
            raise ApiError("ValidationException", f'Could not find inference component "{name}".')
        return self._made[name]


def _arn(name: str) -> str:
    return f"arn:aws:sagemaker:{get_region()}:{get_account_id()}:inference-component/{name}"
