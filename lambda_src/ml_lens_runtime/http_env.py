"""The environment of the API's handler, parsed once; a bad variable fails with its name."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ml_lens_runtime.errors import ConfigurationError

CONTENT_TYPES = ("text/csv", "application/jsonlines", "application/json")
MOST_BODY_BYTES = 2 * 1024 * 1024
MOST_SECONDS = 25


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiSettings:
    """Everything that the handler reads from its environment.

    Attributes
    ----------
    features : tuple of str
        Fields of an instance in the model's input order; empty when the body goes to the model as it is.
    """

    endpoint_name: str
    schema: dict[str, Any]
    features: tuple[str, ...]
    content_type: str
    max_body_bytes: int
    model_seconds: int
    model_version: str

    @classmethod
    def parse(cls, environ: Mapping[str, str]) -> ApiSettings:
        """Parse the environment.

        Raises
        ------
        ConfigurationError
            A variable is missing or invalid; its name is the first word of the message.
        """
        content_type = _text(environ, "CONTENT_TYPE")
        if content_type not in CONTENT_TYPES:
            raise ConfigurationError(f"CONTENT_TYPE must be one of {CONTENT_TYPES}, got {content_type!r}")
        return cls(
            endpoint_name=_text(environ, "ENDPOINT_NAME"),
            schema=_schema(environ),
            features=tuple(name for name in environ.get("FEATURES", "").split(",") if name),
            content_type=content_type,
            max_body_bytes=_whole(environ, "MAX_BODY_BYTES", most=MOST_BODY_BYTES),
            model_seconds=_whole(environ, "MODEL_SECONDS", most=MOST_SECONDS),
            model_version=environ.get("MODEL_VERSION", "").strip() or "unknown",
        )


def _text(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise ConfigurationError(f"{name} must be set")
    return value


def _whole(environ: Mapping[str, str], name: str, *, most: int) -> int:
    text = _text(environ, name)
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:18]) <= most):
        raise ConfigurationError(f"{name} must be a whole number from 1 to {most}, got {text[:40]!r}")
    return int(text)


def _schema(environ: Mapping[str, str]) -> dict[str, Any]:
    """Unpack the JSON Schema: deflated and base64, because all variables together may have 4 KB."""
    try:
        schema = json.loads(zlib.decompress(base64.b64decode(_text(environ, "REQUEST_SCHEMA"), validate=True)))
    except (ValueError, zlib.error) as error:
        raise ConfigurationError(f"REQUEST_SCHEMA must be deflated JSON in base64, got {error}") from None
    if not isinstance(schema, dict):
        raise ConfigurationError("REQUEST_SCHEMA must be a JSON object")
    return schema
