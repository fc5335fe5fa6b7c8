"""SageMaker on the gateway: endpoints with real model servers here, everything else from moto."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import json
import re
from collections.abc import Callable
from typing import Any, Protocol

from ministack import app
from ministack.core import router

from . import callers, moto_bridge
from .async_inference import AsyncInference
from .automl_jobs import AutoMlJobs
from .components import Components
from .data_capture import Capture
from .endpoints import Endpoints
from .feature_store import FeatureStore
from .invoke import Invoker
from .job_table import JobTable
from .model_packages import ModelPackages
from .model_process import ModelProcesses
from .models import Models
from .monitors import Monitors
from .moto_bridge import Answer, ApiError
from .processing_jobs import ProcessingJobs
from .settings import Settings
from .training_jobs import TrainingJobs
from .tuning_jobs import TuningJobs

# Calls in flight. MiniStack's own pool will not do: its threads wait for Lambda functions that wait for us.
THREADS = 32
_INVOCATION = re.compile(r"^/endpoints/([^/]+)/(invocations|async-invocations|invocations-response-stream)$")


Operations = dict[str, Callable[[dict[str, Any]], dict[str, Any]]]


class _Part(Protocol):
    """One part of SageMaker's control plane."""

    @property
    def operations(self) -> Operations:
        """Return what it answers, by operation."""
        ...


class _Service:
    """The SageMaker service of this process."""

    def __init__(self, settings: Settings) -> None:
        self.processes = ModelProcesses(settings)
        self.endpoints = Endpoints(self.processes)
        self.capture = Capture()
        self.components = Components(self.endpoints, self.processes)
        self.features = FeatureStore()
        self.training = TrainingJobs(settings)
        self.processing = ProcessingJobs(settings)
        self.tuning = TuningJobs(self.training)
        packages = ModelPackages()
        parts: tuple[_Part, ...] = (
            self.endpoints, self.components, self.features, self.training, self.processing, self.tuning, packages,
            Models(packages), AutoMlJobs(),
            Monitors(self.endpoints.delete),  # after the endpoints: it refuses to delete one that is watched
        )  # fmt: skip
        self.operations = {name: answer for part in parts for name, answer in part.operations.items()}
        self._invoker = Invoker(self.endpoints, self.components, self.capture)
        self._async = AsyncInference(self._invoker.ask)
        self._pool = concurrent.futures.ThreadPoolExecutor(THREADS, thread_name_prefix="sagemaker")

    async def handle(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> Answer:
        """Answer one request of either API."""
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._pool, context.run, self._answer, (method, path), headers, body, query_params
        )

    def _answer(
        self, line: tuple[str, str], headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> Answer:
        method, path = line
        callers.remember(headers, query_params)
        if found := _INVOCATION.match(path):
            return self._invoke(found.group(1), found.group(2), headers, body)
        operation = moto_bridge.operation_of(headers)
        if operation and operation not in self.operations:
            return moto_bridge.forward("sagemaker", operation, body)
        try:
            given = json.loads(body or b"{}")
        except ValueError as fault:
            return moto_bridge.error("SerializationException", str(fault))
        try:
            if operation:
                answer = self.operations[operation](given)
            else:
                answer = self.features.runtime(method, path, given, query_params)
        except ApiError as error:
            return moto_bridge.error(error.code, str(error))
        return 200, {"Content-Type": moto_bridge.JSON}, json.dumps(answer).encode()

    def _invoke(self, name: str, how: str, headers: dict[str, str], body: bytes) -> Answer:
        if how == "invocations":
            return self._invoker.invoke(name, headers, body)
        endpoint = self.endpoints.find(name)
        if endpoint is None or how != "async-invocations":
            return moto_bridge.error("ValidationError", f"Endpoint {name} not found, or it has no {how} here.")
        return self._async.accept(endpoint, headers)


_services: list[_Service] = []


def install(settings: Settings) -> None:
    """Offer SageMaker and SageMaker Runtime on the gateway; both sign with the scope ``sagemaker``."""
    service = _Service(settings)
    _services.append(service)
    app.SERVICE_HANDLERS["sagemaker"] = service.handle
    router.SERVICE_PATTERNS["sagemaker"] = {
        "target_prefixes": ["SageMaker"],
        "host_patterns": [r"sagemaker\.", r"runtime\.sagemaker\."],
        "credential_scope": "sagemaker",
    }


def endpoints() -> Endpoints:
    """Return the endpoints of this process."""
    return _services[-1].endpoints


def operations() -> dict[str, Any]:
    """Return the control plane operations that this process answers itself."""
    return dict(_services[-1].operations)


def job_tables() -> tuple[JobTable, ...]:
    """Return the jobs of this process, by kind."""
    service = _services[-1]
    return service.training.table, service.processing.table, service.tuning.table


def processes() -> ModelProcesses:
    """Return the model servers of this process."""
    return _services[-1].processes


def stop() -> None:
    """Write what is captured and end the model servers."""
    for service in _services:
        service.training.end()
        service.processing.end()
        service.processes.stop_all()
