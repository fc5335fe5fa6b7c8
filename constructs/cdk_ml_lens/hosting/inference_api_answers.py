"""What API Gateway itself answers and logs: errors in the handler's own form, and one JSON line for each request."""

from __future__ import annotations

import json

from aws_cdk import aws_apigateway as apigateway

_BODY = '{"error":"%s","message":$context.error.messageString,"request_id":"$context.requestId"}'
_HEADERS = {"X-Request-Id": "context.requestId", "Cache-Control": "'no-store'"}
# Type, name, status or None for AWS's own, seconds to wait or None. Source:
# https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
_TYPES: tuple[tuple[str, str, str | None, int | None], ...] = (
    ("DEFAULT_4XX", "refused", None, None),
    ("DEFAULT_5XX", "gateway_error", None, None),
    ("BAD_REQUEST_BODY", "schema_violation", "400", None),
    ("UNAUTHORIZED", "unauthorized", "401", None),
    ("ACCESS_DENIED", "forbidden", "403", None),
    ("REQUEST_TOO_LARGE", "body_too_large", "413", None),
    ("THROTTLED", "throttled", "429", 1),
    ("QUOTA_EXCEEDED", "quota_exceeded", "429", 3600),
    ("INTEGRATION_FAILURE", "handler_failed", "502", None),
    ("INTEGRATION_TIMEOUT", "handler_timeout", "504", None),
)
# Who, when, what and how it went; no header, no query, no payload.
_LOGGED = {
    "request_id": "$context.requestId",
    "api_id": "$context.apiId",
    "time": "$context.requestTimeEpoch",
    "method": "$context.httpMethod",
    "path": "$context.resourcePath",
    "status": "$context.status",
    "error": "$context.error.responseType",
    "response_bytes": "$context.responseLength",
    "milliseconds": "$context.responseLatency",
    "integration_milliseconds": "$context.integrationLatency",
    "integration_status": "$context.integration.status",
    "address": "$context.identity.sourceIp",
    "caller": "$context.identity.userArn",
    "subject": "$context.authorizer.claims.sub",
    "api_key_id": "$context.identity.apiKeyId",
    "firewall": "$context.wafResponseCode",
}


def access_log_format() -> apigateway.AccessLogFormat:
    """Return the access log's line. ``status`` is a text, as every value is: a missing one is written ``-``."""
    return apigateway.AccessLogFormat.custom(json.dumps(_LOGGED))


def add_gateway_responses(api: apigateway.RestApi) -> None:
    """Give API Gateway's own errors the form of the handler's.

    The message is API Gateway's sentence, never the validation detail: that one quotes the request, unescaped.
    """
    for name, error, status, pause in _TYPES:
        headers = dict(_HEADERS) if pause is None else {**_HEADERS, "Retry-After": f"'{pause}'"}
        api.add_gateway_response(
            "".join(word.capitalize() for word in name.split("_")),
            type=apigateway.ResponseType.of(name),
            status_code=status,
            response_headers=headers,
            templates={"application/json": _BODY % error},
        )
