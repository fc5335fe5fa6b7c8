"""The request of API Gateway's Lambda proxy integration, checked again: a direct invocation meets no gateway."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ml_lens_runtime import http_schema, strict_json
from ml_lens_runtime.http_env import ApiSettings
from ml_lens_runtime.http_errors import HttpError

_LONGEST_ID = (
    64  # InferenceId; https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A checked request.

    Attributes
    ----------
    document : Any
        The body's JSON, which meets the schema.
    """

    document: Any

    def model_input(self, settings: ApiSettings) -> bytes:
        """Return what the model gets: one line per instance, or the JSON that was checked, written anew."""
        if not settings.features:
            return json.dumps(self.document, separators=(",", ":")).encode("ascii")
        rows = [[float(instance[name]) for name in settings.features] for instance in self.document["instances"]]
        if settings.content_type == "text/csv":
            lines = [",".join(map(repr, row)) for row in rows]
        else:
            lines = [json.dumps({"features": row}) for row in rows]
        return ("\n".join(lines) + "\n").encode("ascii")


def request_id(event: Any, *, fallback: str) -> str:
    """Return the gateway's id of the request, or the invocation's."""
    context = event.get("requestContext") if isinstance(event, dict) else None
    given = context.get("requestId") if isinstance(context, dict) else None
    return given[:_LONGEST_ID] if isinstance(given, str) and given else fallback[:_LONGEST_ID]


def read(event: Any, *, settings: ApiSettings) -> Request:
    """Check one event.

    Raises
    ------
    HttpError
        413, 415 or 400.
    """
    if not isinstance(event, dict):
        raise HttpError(400, "bad_request", "The event is no request of an API.")
    body = _body(event, most=settings.max_body_bytes)
    media = _header(event, "content-type").split(";")[0].strip().lower()
    if media not in ("", "application/json"):
        raise HttpError(415, "unsupported_media_type", "The body must be application/json.")
    document = _decode(body)
    fault = http_schema.violation(settings.schema, document)
    if fault is not None:
        raise HttpError(400, "schema_violation", fault)
    return Request(document=document)


def _body(event: Mapping[str, Any], *, most: int) -> bytes:
    text = event.get("body")
    if not isinstance(text, str) or not text:
        raise HttpError(400, "no_body", "The request has no body.")
    if len(text) > most * (2 if event.get("isBase64Encoded") else 1):
        raise _too_large(most)
    body = _unpacked(text) if event.get("isBase64Encoded") else text.encode("utf-8", "surrogatepass")
    if len(body) > most:
        raise _too_large(most)
    return body


def _too_large(most: int) -> HttpError:
    return HttpError(413, "body_too_large", f"The body may have {most} bytes.")


def _unpacked(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise HttpError(400, "bad_encoding", "The body is not base64.") from None


def _header(event: Mapping[str, Any], name: str) -> str:
    headers = event.get("headers")
    if not isinstance(headers, dict):
        return ""
    return next((str(value) for key, value in headers.items() if key.lower() == name and value is not None), "")


def _decode(body: bytes) -> Any:
    """Decode strict JSON: no NaN, no infinity, no absurd nesting."""
    try:
        document = json.loads(body.decode("utf-8"), parse_constant=_real, parse_float=_real, parse_int=_integer)
    except UnicodeDecodeError:
        raise HttpError(400, "bad_encoding", "The body is not UTF-8.") from None
    except (ValueError, RecursionError):
        raise HttpError(400, "not_json", "The body is not JSON.") from None
    if strict_json.too_deep(document):
        raise HttpError(400, "not_json", f"The body nests deeper than {strict_json.MAX_DEPTH}.")
    return document


def _real(literal: str) -> float:
    value = float(literal)
    if not math.isfinite(value):
        raise ValueError(literal)
    return value


def _integer(literal: str) -> int | float:
    return int(literal) if len(literal) <= 64 else _real(literal)
