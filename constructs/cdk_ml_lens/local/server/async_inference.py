"""InvokeEndpointAsync: the request comes from S3, waits its turn, and the answer or failure goes to S3 and SNS."""

from __future__ import annotations

import concurrent.futures
import contextvars
import json
import logging
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ministack.services import cloudwatch, sns

from . import storage
from .endpoint_state import Endpoint, Params
from .model_process import Reply
from .moto_bridge import Answer, error

WORKERS = 2  # requests worked on at once, over all endpoints: the laptop's cores are few
logger = logging.getLogger("laptop_cloud")
Ask = Callable[[Endpoint, dict[str, str], bytes], Reply]


@dataclass(frozen=True, kw_only=True)
class _Request:
    """One accepted request, and where its answer goes."""

    endpoint: Endpoint
    inference_id: str
    source: str
    answer: str
    failure: str
    headers: dict[str, str]


class AsyncInference:
    """Accepts asynchronous requests and works them off.

    Parameters
    ----------
    ask
        Sends a body to a model of an endpoint and counts it.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._pool = concurrent.futures.ThreadPoolExecutor(WORKERS, thread_name_prefix="async-inference")
        self._waiting: Counter[str] = Counter()
        self._lock = threading.Lock()

    def accept(self, endpoint: Endpoint, headers: dict[str, str]) -> Answer:
        """Queue a request; the answer names where its result will be."""
        assert endpoint.live is not None
        config = endpoint.live.config.get("AsyncInferenceConfig")
        source = headers.get("x-amzn-sagemaker-inputlocation")
        if not config or source is None:
            return error(
                "ValidationError", f"Endpoint {endpoint.name} is not asynchronous, or InputLocation is missing."
            )
        request = _request(endpoint, config["OutputConfig"], source, headers)
        self._change(endpoint, 1)
        self._pool.submit(contextvars.copy_context().run, self._work, request, config["OutputConfig"])
        places = {
            "X-Amzn-SageMaker-OutputLocation": request.answer,
            "X-Amzn-SageMaker-FailureLocation": request.failure,
        }
        return (
            202,
            {"Content-Type": "application/json", **places},
            json.dumps({"InferenceId": request.inference_id}).encode(),
        )

    def _work(self, request: _Request, output: Params) -> None:
        try:
            body = storage.read(request.source)
            reply = self._ask(request.endpoint, request.headers, body)
            failed = reply.status >= 400
            storage.put(request.failure if failed else request.answer, reply.body, kms_key=output.get("KmsKeyId"))
            _notify(
                output.get("NotificationConfig") or {},
                request,
                None if not failed else reply.body.decode(errors="replace"),
            )
        except Exception as broken:
            logger.exception("asynchronous request %s failed", request.inference_id)
            _notify(output.get("NotificationConfig") or {}, request, str(broken))
        finally:
            self._change(request.endpoint, -1)

    def _change(self, endpoint: Endpoint, by: int) -> None:
        with self._lock:
            self._waiting[endpoint.name] += by
            waiting = self._waiting[endpoint.name]
        instances = sum(variant.instances for variant in endpoint.variants)
        dimensions = {"EndpointName": endpoint.name}
        metric: Any = cloudwatch.record_metric
        metric("AWS/SageMaker", "ApproximateBacklogSize", waiting, "Count", dimensions)
        metric("AWS/SageMaker", "ApproximateBacklogSizePerInstance", waiting / max(1, instances), "Count", dimensions)
        metric("AWS/SageMaker", "HasBacklogWithoutCapacity", float(waiting > 0 and instances == 0), "Count", dimensions)


def _request(endpoint: Endpoint, output: Params, source: str, headers: dict[str, str]) -> _Request:
    inference_id = headers.get("x-amzn-sagemaker-inference-id") or str(uuid.uuid4())
    name = f"{uuid.uuid4()}.out"
    answers = output["S3OutputPath"].rstrip("/")
    return _Request(
        endpoint=endpoint,
        inference_id=inference_id,
        source=source,
        answer=f"{answers}/{name}",
        failure=f"{output.get('S3FailurePath', answers + '/failures').rstrip('/')}/{name[:-4]}-error.out",
        headers={**headers, "content-type": headers.get("x-amzn-sagemaker-content-type", "application/octet-stream")},
    )


def _notify(topics: Params, request: _Request, failure: str | None) -> None:
    """Tell the success or error topic, in SageMaker's words.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-check-predictions.html
    """
    topic = topics.get("SuccessTopic" if failure is None else "ErrorTopic")
    if topic is None:
        return
    message: Params = {
        "awsRegion": topic.split(":")[3],
        "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "eventSource": "aws:sagemaker",
        "eventVersion": "1.0",
        "eventName": "InferenceResult",
        "invocationStatus": "Completed" if failure is None else "Failed",
        "requestParameters": {"endpointName": request.endpoint.name, "inputLocation": request.source},
        "inferenceId": request.inference_id,
    }
    if failure is None:
        message["responseParameters"] = {"outputLocation": request.answer}
    else:
        message |= {"failureReason": failure, "responseParameters": {"failureLocation": request.failure}}
    publish: Any = sns.publish_internal
    publish(topic, json.dumps(message))
