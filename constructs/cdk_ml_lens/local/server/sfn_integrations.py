"""SDK integrations that MiniStack's Step Functions lacks: SageMaker, its runtime, CloudWatch as JSON, PutEvents."""

from __future__ import annotations

import json
from typing import Any

from ministack import app
from ministack.core.responses import get_account_id, get_region
from ministack.services import stepfunctions

from . import moto_bridge, sfn_execution, sfn_s3

_INVOKE = "arn:aws:states:::aws-sdk:sagemakerruntime:"
_EVENTS = "arn:aws:states:::events:putEvents"
_REQUEST_HEADERS = {
    "ContentType": "content-type",
    "Accept": "accept",
    "CustomAttributes": "x-amzn-sagemaker-custom-attributes",
    "InferenceId": "x-amzn-sagemaker-inference-id",
    "TargetModel": "x-amzn-sagemaker-target-model",
    "TargetVariant": "x-amzn-sagemaker-target-variant",
}
_ANSWER_HEADERS = {
    "content-type": "ContentType",
    "x-amzn-invoked-production-variant": "InvokedProductionVariant",
    "x-amzn-sagemaker-custom-attributes": "CustomAttributes",
}
# Errors that a service's model does not name carry the service's own exception; the SDK for Java names the others.
_SAGEMAKER_ERRORS = {
    "ValidationException": "SageMakerException",
    "ResourceNotFound": "ResourceNotFoundException",
    "ResourceInUse": "ResourceInUseException",
    "ResourceLimitExceeded": "ResourceLimitExceededException",
}


def install() -> None:
    """Offer ``aws-sdk:sagemaker``, ``aws-sdk:sagemakerruntime:invokeEndpoint``, and mend two others.

    CloudWatch goes through its JSON protocol, whose numbers and lists need no guessing. The optimized ``putEvents``
    takes a JSON object as ``Detail``, names the execution as a resource and fails when an entry fails. Sources:
    https://docs.aws.amazon.com/step-functions/latest/dg/connect-eventbridge.html,
    https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
    """
    services, prefixes = stepfunctions._AWS_SDK_SERVICE_MAP, stepfunctions._AWS_SDK_ERROR_PREFIX
    services["sagemaker"] = {"target_prefix": "SageMaker", "protocol": "json"}
    services["cloudwatch"] = {
        "target_prefix": "GraniteServiceVersion20100801",
        "protocol": "json",
        "service_key": "monitoring",
    }
    prefixes["sagemaker"] = "SageMaker"
    stepfunctions._AWS_SDK_ERROR_CODE_OVERRIDES["sagemaker"] = _SAGEMAKER_ERRORS
    stepfunctions._AWS_SDK_ERROR_CODE_OVERRIDES["sfn"] = {"ExecutionDoesNotExist": "ExecutionDoesNotExistException"}
    stepfunctions._SERVICE_DISPATCH[_INVOKE] = _invoke_endpoint
    sfn_s3.install()
    stock = stepfunctions._SERVICE_DISPATCH[_EVENTS]

    def put_events(resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
        entries = [{**entry, "Detail": _text(entry.get("Detail", {}))} for entry in arguments.get("Entries", [])]
        answer: dict[str, Any] = stock(resource, {**arguments, "Entries": entries})
        if answer.get("FailedEntryCount"):
            raise stepfunctions._ExecutionError("EventBridge.FailedEntry", json.dumps(answer))
        return answer

    stepfunctions._SERVICE_DISPATCH[_EVENTS] = put_events


def _text(detail: object) -> str:
    return detail if isinstance(detail, str) else json.dumps(detail)


def _invoke_endpoint(resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Call InvokeEndpoint; the body is sent as JSON, a text with its quotation marks, as Step Functions does."""
    if not resource.endswith(":invokeEndpoint"):
        raise stepfunctions._ExecutionError("States.Runtime", f"the laptop cloud has no {resource}")
    arn = f"arn:aws:sagemaker:{get_region()}:{get_account_id()}:endpoint/{arguments['EndpointName']}"
    sfn_execution.require("sagemaker:InvokeEndpoint", arn, service="SageMakerRuntime")
    headers = {header: str(arguments[name]) for name, header in _REQUEST_HEADERS.items() if name in arguments}
    status, answer_headers, body = app.call_service_handler_sync(
        app.SERVICE_HANDLERS["sagemaker"],
        "POST",
        f"/endpoints/{arguments['EndpointName']}/invocations",
        {"content-type": moto_bridge.JSON, **headers},
        json.dumps(arguments["Body"]).encode(),
        {},
    )
    if status >= 400:
        raise _runtime_error(body)
    found = {key.lower(): value for key, value in answer_headers.items()}
    members = {member: found[header] for header, member in _ANSWER_HEADERS.items() if header in found}
    return {**members, "Body": body.decode(errors="replace")}


def _runtime_error(body: bytes) -> Exception:
    problem = json.loads(body)
    code = str(problem.get("__type", "SageMakerRuntime")).split("#")[-1]
    name = code if code.endswith("Exception") else f"{code}Exception"
    error: Exception = stepfunctions._ExecutionError(f"SageMakerRuntime.{name}", str(problem.get("message", "")))
    return error
