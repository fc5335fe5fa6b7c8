"""Calls moto in this process for what MiniStack lacks: SageMaker's control plane, Auto Scaling, Lake Formation."""

from __future__ import annotations

import json
import re
from enum import Enum
from typing import Any

from ministack import app
from ministack.core import router
from ministack.core.responses import get_region
from moto.applicationautoscaling import models as scaling_models
from moto.applicationautoscaling import responses as scaling_responses
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.core.request import Request
from moto.lakeformation.responses import LakeFormationResponse
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import FakeEndpointConfig
from moto.sagemaker.responses import SageMakerResponse

JSON = "application/x-amz-json-1.1"
Answer = tuple[int, dict[str, str], bytes]
_RESPONSES = {
    "sagemaker": ("SageMaker", SageMakerResponse),
    "application-autoscaling": ("AnyScaleFrontendService", ApplicationAutoScalingResponse),
    "lakeformation": ("AWSLakeFormation", LakeFormationResponse),  # the path names the operation
}
_DIMENSIONS = {
    "SAGEMAKER_PROVISIONED_CONCURRENCY": "sagemaker:variant:DesiredProvisionedConcurrency",
    "SAGEMAKER_COPY_COUNT": "sagemaker:inference-component:DesiredCopyCount",
}
_INSTANCE_TYPE = re.compile(r"ml\.[a-z0-9-]+\.(\d*x?large|medium|metal|\d+xlarge)")


class ApiError(Exception):
    """A call that the service refused, with AWS's error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def call(service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
    """Call one operation and return its answer.

    Raises
    ------
    ApiError
        If the service refuses the call.
    """
    status, headers, body = forward(service, operation, json.dumps(params).encode())
    answer: dict[str, Any] = json.loads(body or b"{}")
    if status >= 400:
        code = str(answer.get("__type") or headers.get("X-Amzn-Errortype") or "InternalFailure")
        raise ApiError(code.split("#")[-1], str(answer.get("message") or answer.get("Message") or body.decode()))
    return answer


def forward(service: str, operation: str, body: bytes) -> Answer:
    """Pass a JSON request to moto and return its HTTP answer."""
    prefix, response = _RESPONSES[service]
    path = operation if service == "lakeformation" else ""
    url = f"https://{service}.{get_region()}.amazonaws.com/{path}"
    headers = {"X-Amz-Target": f"{prefix}.{operation}", "Content-Type": JSON}
    try:
        status, answer_headers, answer = response.dispatch(
            Request.from_primitives("POST", url, headers, body), url, headers
        )
    except NotImplementedError:
        return error("NotImplemented", f"the laptop cloud has no {service}:{operation}", status=501)
    encoded = answer if isinstance(answer, bytes) else str(answer).encode()
    kept = {key: str(value) for key, value in answer_headers.items() if key in ("Content-Type", "X-Amzn-Errortype")}
    return int(status), {"Content-Type": JSON, **kept}, encoded


def error(code: str, message: str, *, status: int = 400, **members: object) -> Answer:
    """Return an AWS JSON error."""
    body = json.dumps({"__type": code, "message": message, "Message": message, **members}).encode()
    return status, {"Content-Type": JSON, "x-amzn-ErrorType": code}, body


def operation_of(headers: dict[str, str]) -> str:
    """Return the operation that a JSON request names."""
    return headers.get("x-amz-target", "").split(".")[-1]


def _know_dimensions() -> None:
    """Teach moto the scalable dimensions of SageMaker that it lacks; scaling itself is recorded only."""
    known = {member.name: member.value for member in scaling_models.ScalableDimensionValueSet}
    extended: Any = Enum("ScalableDimensionValueSet", list({**known, **_DIMENSIONS}.items()))  # type: ignore[misc]
    for module in (scaling_models, scaling_responses):
        vars(module)["ScalableDimensionValueSet"] = extended


def install() -> None:
    """Offer Application Auto Scaling and Lake Formation on the gateway.

    moto takes every instance type of the current AWS list.
    """

    async def autoscaling(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> Answer:
        del method, path, query_params
        return forward("application-autoscaling", operation_of(headers), body)

    async def lakeformation(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> Answer:
        del method, headers, query_params
        return forward("lakeformation", path.strip("/"), body)

    def validate_instance_type(self: object, instance_type: str) -> None:
        del self
        if not _INSTANCE_TYPE.fullmatch(instance_type):
            raise ValidationError(message=f"InstanceType must look like ml.m5.large, got {instance_type}")

    _know_dimensions()
    config_class: Any = FakeEndpointConfig
    config_class.validate_instance_type = validate_instance_type
    app.SERVICE_HANDLERS["application-autoscaling"] = autoscaling
    router.SERVICE_PATTERNS["application-autoscaling"] = {
        "target_prefixes": ["AnyScaleFrontendService"],
        "host_patterns": [r"application-autoscaling\."],
        "credential_scope": "application-autoscaling",
    }
    app.SERVICE_HANDLERS["lakeformation"] = lakeformation
    router.SERVICE_PATTERNS["lakeformation"] = {
        "target_prefixes": ["AWSLakeFormation"],
        "host_patterns": [r"lakeformation\."],
        "credential_scope": "lakeformation",
    }
