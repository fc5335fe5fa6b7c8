"""A model behind InvokeEndpoint, settings and events for the tests of the API's handler."""

from __future__ import annotations

import base64
import io
import json
import zlib
from dataclasses import replace
from typing import Any

from handlers.answer_request import run
from ml_lens_runtime.http_env import ApiSettings

SCHEMA = {
    "type": "object",
    "required": ["instances"],
    "properties": {
        "instances": {
            "type": "array",
            "minItems": 1,
            "maxItems": 3,
            "items": {
                "type": "object",
                "required": ["temperature", "pressure"],
                "properties": {
                    "temperature": {"type": "number"},
                    "pressure": {"type": "number", "minimum": 0, "maximum": 500},
                },
            },
        }
    },
}
SETTINGS = ApiSettings(
    endpoint_name="turbines",
    schema=SCHEMA,
    features=("temperature", "pressure"),
    content_type="text/csv",
    max_body_bytes=1000,
    model_seconds=10,
    model_version="unknown",
)
PLAIN = replace(SETTINGS, features=(), schema={"type": "object", "required": ["q"]}, content_type="application/json")


class FakeModel:
    """SageMaker runtime with one endpoint: no HTTP, no signing, no timing. Gives `answer`, or raises `failure`."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.answer: bytes | None = None
        self.content_type = "application/jsonlines"
        self.requests: list[dict[str, Any]] = []

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        if self.failure is not None:
            raise self.failure
        body = self.answer
        if body is None:
            rows = request["Body"].splitlines()
            body = b"".join(json.dumps({"score": 1.5, "model_version": "v7"}).encode() + b"\n" for _ in rows)
        return {"Body": io.BytesIO(body), "ContentType": self.content_type, "InvokedProductionVariant": "blue"}


def instance(**more: Any) -> dict[str, Any]:
    return {"temperature": 20.5, "pressure": 100, **more}


def event(document: Any, *, content_type: str | None = "application/json", encode: bool = False) -> dict[str, Any]:
    """Return the proxy event of a POST; bytes and text are sent as they are."""
    body = document if isinstance(document, str | bytes) else json.dumps(document)
    headers = {} if content_type is None else {"Content-Type": content_type}
    raw = body.encode() if isinstance(body, str) else body
    text = base64.b64encode(raw).decode() if encode or isinstance(body, bytes) else str(body)
    return {
        "httpMethod": "POST",
        "headers": headers,
        "body": text,
        "isBase64Encoded": encode or isinstance(body, bytes),
        "requestContext": {"requestId": "req-1"},
    }


def ask(model: FakeModel, request: Any, settings: ApiSettings = SETTINGS) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Run the handler; return status, body and headers."""
    answer = run(env=settings, event=request, runtime=model, request_id="req-1")
    return answer["statusCode"], json.loads(answer["body"]), answer["headers"]


def packed(schema: Any) -> str:
    return base64.b64encode(zlib.compress(json.dumps(schema).encode())).decode()
