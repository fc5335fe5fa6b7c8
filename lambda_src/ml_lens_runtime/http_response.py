"""The response of API Gateway's Lambda proxy integration: a prediction or an error, both with the request's id."""

from __future__ import annotations

import re
from typing import Any

from ml_lens_runtime import strict_json
from ml_lens_runtime.http_errors import RETRY_AFTER_SECONDS, HttpError
from ml_lens_runtime.http_model import Answer

_FIXED = {"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_NO_HEADER = re.compile(r"[^\x21-\x7e]")


def prediction(answer: Answer, *, request_id: str) -> dict[str, Any]:
    """Return 200 with the predictions."""
    who = {"variant": answer.variant, "model_version": answer.model_version, "request_id": request_id}
    headers = {"X-Model-Variant": answer.variant, "X-Model-Version": answer.model_version}
    return _response(200, {"predictions": answer.predictions, **who}, headers, request_id)


def failure(error: HttpError, *, request_id: str) -> dict[str, Any]:
    """Return an error; with a pause to keep where trying again makes sense."""
    pause = RETRY_AFTER_SECONDS.get(error.status)
    headers = {} if pause is None else {"Retry-After": str(pause)}
    body = {"error": error.error, "message": error.message, "request_id": request_id}
    return _response(error.status, body, headers, request_id)


def _response(status: int, body: dict[str, Any], headers: dict[str, str], request_id: str) -> dict[str, Any]:
    safe = {name: _NO_HEADER.sub("?", value) for name, value in {**headers, "X-Request-Id": request_id}.items()}
    return {
        "statusCode": status,
        "headers": {**_FIXED, **safe},
        "body": strict_json.dumps(body),
        "isBase64Encoded": False,
    }
