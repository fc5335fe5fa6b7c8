"""What serves a model: one container, a chain of them, or a container that loads models when a request names them."""

from __future__ import annotations

import threading
from typing import Any, Protocol

from . import models
from .model_process import ModelFailedError, ModelProcess, ModelProcesses, Reply

TARGET_MODEL = "X-Amzn-SageMaker-Target-Model"


class Serving(Protocol):
    """Answers requests for one SageMaker model."""

    model_name: str

    def wait_until_ready(self) -> None:
        """Return when requests can be answered."""
        ...

    def invoke(self, body: bytes, headers: dict[str, str]) -> Reply:
        """Answer one request."""
        ...

    def stop(self) -> None:
        """End whatever runs."""
        ...


def start(model_name: str, processes: ModelProcesses) -> Serving:
    """Start what serves a model; it may still be loading when this returns."""
    containers = models.containers(model_name)
    if len(containers) > 1:
        return Chain(model_name, [processes.start(f"{model_name}-{i}", item) for i, item in enumerate(containers)])
    if containers[0].get("Mode") == "MultiModel":
        return ManyModels(model_name, containers[0], processes)
    return processes.start(model_name, containers[0])


class Chain:
    """A serial inference pipeline: each answer is the next container's request, with its content type."""

    def __init__(self, model_name: str, stages: list[ModelProcess]) -> None:
        self.model_name = model_name
        self._stages = stages

    def wait_until_ready(self) -> None:
        """Return when every container is ready."""
        for stage in self._stages:
            stage.wait_until_ready()

    def invoke(self, body: bytes, headers: dict[str, str]) -> Reply:
        """Pass the request through the containers; the first error is the answer."""
        sent = dict(headers)
        for stage in self._stages:
            last = stage is self._stages[-1]
            reply = stage.invoke(body, sent if last else {**sent, "Accept": "*/*"})
            if reply.status >= 400:
                return reply
            body, sent = reply.body, {**sent, "Content-Type": reply.content_type}
        return reply

    def stop(self) -> None:
        """End every container."""
        for stage in self._stages:
            stage.stop()


class ManyModels:
    """A multi-model container: the artifact below its prefix is loaded when ``TargetModel`` names it first."""

    def __init__(self, model_name: str, container: dict[str, Any], processes: ModelProcesses) -> None:
        self.model_name = model_name
        self._container = container
        self._processes = processes
        self._loaded: dict[str, ModelProcess] = {}
        self._lock = threading.Lock()

    def wait_until_ready(self) -> None:
        """Return at once: nothing is loaded before it is asked for."""

    def invoke(self, body: bytes, headers: dict[str, str]) -> Reply:
        """Answer with the named model; one that cannot be loaded is the caller's error."""
        target = headers.get(TARGET_MODEL)
        if target is None:
            return _refusal("a multi-model endpoint needs TargetModel")
        try:
            return self._model(target).invoke(body, headers)
        except ModelFailedError as failure:
            return _refusal(str(failure))

    def stop(self) -> None:
        """End every loaded model."""
        for process in self._loaded.values():
            process.stop()

    def _model(self, target: str) -> ModelProcess:
        with self._lock:
            if target not in self._loaded:
                url = f"{self._container['ModelDataUrl'].rstrip('/')}/{target.lstrip('/')}"
                process = self._processes.start(self.model_name, {**self._container, "ModelDataUrl": url})
                process.wait_until_ready()
                self._loaded[target] = process
            return self._loaded[target]


def _refusal(message: str) -> Reply:
    return Reply(status=400, content_type="text/plain", body=message.encode())
