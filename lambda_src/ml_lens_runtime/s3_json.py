"""JSON documents in S3, by their URI."""

from __future__ import annotations

import json
from typing import Any


class DocumentError(ValueError):
    """A document is missing, is no JSON object, or its URI is none."""


def place(uri: str) -> tuple[str, str]:
    """Split an S3 URI into bucket and key.

    Raises
    ------
    DocumentError
        When it is none.
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket or not key:
        raise DocumentError(f"must be an S3 URI with a key, got {uri!r}")
    return bucket, key


def read(s3: Any, uri: str) -> dict[str, Any]:
    """Return the JSON object at a URI; NaN and infinities stay what they are.

    Raises
    ------
    DocumentError
        When it is no JSON object.
    """
    bucket, key = place(uri)
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise DocumentError(f"{uri} must be JSON: {error}") from None
    if not isinstance(document, dict):
        raise DocumentError(f"{uri} must be a JSON object, got {type(document).__name__}")
    return document


def write(s3: Any, uri: str, document: dict[str, Any]) -> None:
    """Write a JSON object; the bucket encrypts it with its own key.

    Raises
    ------
    DocumentError
        When it holds a number that JSON cannot express.
    """
    bucket, key = place(uri)
    try:
        body = json.dumps(document, indent=2, sort_keys=True, allow_nan=False) + "\n"
    except ValueError as error:
        raise DocumentError(f"{uri} must hold finite numbers: {error}") from None
    s3.put_object(Bucket=bucket, Key=key, Body=body.encode(), ContentType="application/json")
