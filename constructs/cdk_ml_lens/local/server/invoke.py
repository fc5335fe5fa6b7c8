"""InvokeEndpoint: chooses the variant, calls its model, answers as SageMaker Runtime does, counts and captures."""

from __future__ import annotations

import concurrent.futures
import random
import threading
import time
import uuid
from typing import Any

from ministack.core.responses import get_account_id
from ministack.services import cloudwatch

from .components import Components
from .data_capture import Capture, Exchange
from .endpoint_state import Endpoint, Fleet, Variant
from .endpoints import Endpoints
from .model_process import Reply
from .model_shapes import TARGET_MODEL
from .moto_bridge import Answer, error

MICROSECONDS = 1_000_000
SHADOW_THREADS = 4
FLEET_NAMESPACE = "LaptopCloud"  # which configuration served a request: AWS has no such metric


class Invoker:
    """Serves InvokeEndpoint.

    Parameters
    ----------
    endpoints
        Where endpoints are found.
    components
        Where inference components are found.
    capture
        Where exchanges are recorded.
    """

    def __init__(self, endpoints: Endpoints, components: Components, capture: Capture) -> None:
        self._endpoints = endpoints
        self._components = components
        self._capture = capture
        self._random = random.Random()
        self._lock = threading.Lock()
        self._shadows = concurrent.futures.ThreadPoolExecutor(SHADOW_THREADS, thread_name_prefix="shadow")

    def invoke(self, name: str, headers: dict[str, str], body: bytes) -> Answer:
        """Answer one call for endpoint ``name``."""
        started = time.perf_counter()
        endpoint = self._endpoints.find(name)
        if endpoint is None:
            return error("ValidationError", f"Endpoint {name} of account {get_account_id()} not found.")
        fleet = self._fleet(endpoint)
        variant = self._choose(endpoint.name, fleet, headers)
        if isinstance(variant, str):
            return error("ValidationError", variant)
        if variant.slots is not None and not variant.slots.acquire(blocking=False):
            return error("ThrottlingException", f"Variant {variant.name} has no free concurrency.", status=429)
        called = time.perf_counter()
        try:
            reply = _call(variant, headers, body)
        finally:
            if variant.slots is not None:
                variant.slots.release()
        _count(endpoint.name, variant.name, reply.status, time.perf_counter() - called, (called - started))
        _count_fleet(endpoint.name, fleet)
        self._copy(endpoint.name, fleet, headers, body)
        if reply.status >= 400:
            return _model_error(endpoint, variant, reply)
        self._record(endpoint.name, fleet, variant, headers, body, reply)
        return 200, _headers(variant, headers, reply), reply.body

    def ask(self, endpoint: Endpoint, headers: dict[str, str], body: bytes) -> Reply:
        """Ask a variant on behalf of an asynchronous request, counted and captured as any other."""
        started = time.perf_counter()
        fleet = self._fleet(endpoint)
        variant = self._choose(endpoint.name, fleet, headers)
        assert isinstance(variant, Variant), variant
        reply = _call(variant, headers, body)
        _count(endpoint.name, variant.name, reply.status, time.perf_counter() - started, 0.0)
        _count_fleet(endpoint.name, fleet)
        if reply.status < 400:
            self._record(endpoint.name, fleet, variant, headers, body, reply)
        return reply

    def _fleet(self, endpoint: Endpoint) -> Fleet:
        """Return the fleet for this request: during an update, the new one takes its share."""
        live, incoming = endpoint.live, endpoint.incoming
        assert live is not None
        if incoming is None:
            return live
        with self._lock:
            return incoming if self._random.random() < endpoint.share else live

    def _copy(self, name: str, fleet: Fleet, headers: dict[str, str], body: bytes) -> None:
        """Send a copy to the shadow, as often as its weight says; the caller never waits for it."""
        for shadow in fleet.shadows:
            share = shadow.weight / max(1e-9, sum(variant.weight for variant in fleet.variants))
            with self._lock:
                wanted = self._random.random() < share
            if wanted:
                self._shadows.submit(self._shadow, name, fleet, shadow, headers, body)

    def _shadow(self, name: str, fleet: Fleet, shadow: Variant, headers: dict[str, str], body: bytes) -> None:
        called = time.perf_counter()
        reply = _call(shadow, headers, body)
        _count(name, shadow.name, reply.status, time.perf_counter() - called, 0.0)
        if reply.status < 400:
            self._record(name, fleet, shadow, headers, body, reply)

    def _choose(self, name: str, fleet: Fleet, headers: dict[str, str]) -> Variant | str:
        """Return who answers: the named component or variant, else one by weight; or why nobody does."""
        if component := headers.get("x-amzn-sagemaker-inference-component"):
            return self._components.find(name, component) or f"Inference component {component} not found."
        variants = [variant for variant in fleet.variants if variant.process is not None]
        if not variants:
            return f"Endpoint {name} hosts inference components: InferenceComponentName is missing."
        if target := headers.get("x-amzn-sagemaker-target-variant"):
            named = (variant for variant in variants if variant.name == target)
            return next(named, None) or f"Variant {target} not found."
        weights = [variant.weight for variant in variants]
        if sum(weights) <= 0:
            return variants[0]
        with self._lock:
            return self._random.choices(variants, weights)[0]

    def _record(
        self, name: str, fleet: Fleet, variant: Variant, headers: dict[str, str], body: bytes, reply: Reply
    ) -> None:
        exchange = Exchange(
            endpoint=name, variant=variant.name, event_id=str(uuid.uuid4()),
            request_type=headers.get("content-type", "application/octet-stream"), request=body,
            response_type=reply.content_type, response=reply.body, at=time.time(),
            inference_id=headers.get("x-amzn-sagemaker-inference-id"),
            attributes=headers.get("x-amzn-sagemaker-custom-attributes"),
        )  # fmt: skip
        self._capture.add(fleet.config.get("DataCaptureConfig") or {}, exchange)


def _call(variant: Variant, headers: dict[str, str], body: bytes) -> Reply:
    sent = {
        "Content-Type": headers.get("content-type", "application/octet-stream"),
        "Accept": headers.get("accept") or headers.get("x-amzn-sagemaker-accept") or "*/*",
    }
    if attributes := headers.get("x-amzn-sagemaker-custom-attributes"):
        sent["X-Amzn-SageMaker-Custom-Attributes"] = attributes
    if target := headers.get("x-amzn-sagemaker-target-model"):
        sent[TARGET_MODEL] = target
    assert variant.process is not None
    try:
        return variant.process.invoke(body, sent)
    except OSError as failure:
        return Reply(status=500, content_type="text/plain", body=str(failure).encode())


def _headers(variant: Variant, headers: dict[str, str], reply: Reply) -> dict[str, str]:
    answer = {"Content-Type": reply.content_type, "x-Amzn-Invoked-Production-Variant": variant.name}
    if attributes := headers.get("x-amzn-sagemaker-custom-attributes"):
        answer["X-Amzn-SageMaker-Custom-Attributes"] = attributes
    return answer


def _model_error(endpoint: Endpoint, variant: Variant, reply: Reply) -> Answer:
    side = "client" if reply.status < 500 else "server"
    text = reply.body.decode(errors="replace")
    return error(
        "ModelError",
        f'Received {side} error ({reply.status}) from {variant.name} with message "{text}". '
        f"See the log of endpoint {endpoint.name}.",
        status=424,
        OriginalStatusCode=reply.status,
        OriginalMessage=text,
    )


def _count(endpoint: str, variant: str, status: int, model_seconds: float, overhead_seconds: float) -> None:
    dimensions = {"EndpointName": endpoint, "VariantName": variant}
    values: tuple[tuple[str, float, str], ...] = (
        ("Invocations", 1, "None"),
        ("InvocationsPerInstance", 1, "None"),
        ("Invocation4XXErrors", float(400 <= status < 500), "None"),
        ("Invocation5XXErrors", float(status >= 500), "None"),
        ("InvocationModelErrors", float(status >= 400), "None"),
        ("ModelLatency", model_seconds * MICROSECONDS, "Microseconds"),
        ("OverheadLatency", overhead_seconds * MICROSECONDS, "Microseconds"),
    )
    metric: Any = cloudwatch.record_metric
    for name, value, unit in values:
        metric("AWS/SageMaker", name, value, unit, dimensions)


def _count_fleet(endpoint: str, fleet: Fleet) -> None:
    dimensions = {"EndpointName": endpoint, "EndpointConfigName": fleet.config["EndpointConfigName"]}
    metric: Any = cloudwatch.record_metric
    metric(FLEET_NAMESPACE, "Invocations", 1, "None", dimensions)
