"""With enforcement on, an object encrypted by a KMS key needs the key: Decrypt to read, GenerateDataKey to write."""

from __future__ import annotations

import urllib.parse
from collections.abc import Awaitable, Callable
from typing import Any

from ministack import app
from ministack.core.responses import get_account_id, get_region
from ministack.services import kms, s3

from . import callers
from .moto_bridge import Answer

_KEY = "x-amz-server-side-encryption-aws-kms-key-id"
_ALGORITHM = "x-amz-server-side-encryption"
Handler = Callable[..., Awaitable[Answer]]


def install() -> None:
    """Ask IAM and key policies about keys of objects.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    """
    checked = _checking(s3.handle_request)
    s3.handle_request = checked
    app.SERVICE_HANDLERS["s3"] = checked


def _checking(original: Handler) -> Handler:
    async def handle_request(
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
        *args: Any,
        **more: Any,
    ) -> Answer:
        if app.AUTH and not more.get("internal"):
            callers.remember(headers, query_params)
            bucket, key = s3._parse_bucket_key(path, headers)
            if key and (who := _refused(method, bucket, key, headers, query_params)) is not None:
                message = f"User: {who[0]} is not authorized to perform: {who[1]} on the resource {who[2]}"
                refusal: Answer = s3._error("AccessDenied", message, 403, path)
                return refusal
        answer = await original(method, path, headers, body, query_params, *args, **more)
        if app.AUTH and not more.get("internal") and answer[0] == 404 and method in ("GET", "HEAD"):
            return _hidden(path, headers) or answer
        return answer

    return handle_request


def _hidden(path: str, headers: dict[str, str]) -> Answer | None:
    """Return the refusal that hides from who may not list a bucket that an object is missing.

    The request lists nothing, so it has no ``s3:prefix`` that a condition could ask for.
    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    """
    bucket, key = s3._parse_bucket_key(path, headers)
    if not key or s3._buckets.get(bucket) is None:
        return None
    arn = f"arn:aws:s3:::{bucket}"
    who = callers.denied("s3:ListBucket", arn)
    if who is None:
        return None
    message = f"User: {who} is not authorized to perform: s3:ListBucket on resource: {arn}"
    refusal: Answer = s3._error("AccessDenied", message, 403, path)
    return refusal


Refusal = tuple[str, str, str]  # who, action, key


def _refused(
    method: str, bucket: str, key: str, headers: dict[str, str], query_params: dict[str, Any]
) -> Refusal | None:
    """Return the refusal of what a request on an object does with its key."""
    if method == "GET" and not set(query_params) & {"tagging", "acl", "retention", "legal-hold", "uploadId"}:
        return refused(bucket, key)
    parts = set(query_params) & {"tagging", "acl", "retention", "legal-hold"}
    multipart = method == "POST" and bool(set(query_params) & {"uploads", "uploadId"})
    writes = multipart or (method == "PUT" and not parts)
    if not writes:
        return None
    if source := headers.get("x-amz-copy-source"):
        other, _, name = urllib.parse.unquote(source.split("?")[0]).lstrip("/").partition("/")
        if (refusal := refused(other, name)) is not None:
            return refusal
    return refused_write(bucket, key, headers)


def refused(bucket: str, key: str) -> Refusal | None:
    """Return the refusal of reading an object, ``None`` if its key may be used or it has none."""
    found = s3._buckets.get(bucket)
    stored = None if found is None else found["objects"].get(key)
    if not app.AUTH or stored is None:
        return None
    return _ask("kms:Decrypt", s3._stored_sse_headers(stored), bucket, key)


def refused_write(bucket: str, key: str, headers: dict[str, str]) -> Refusal | None:
    """Return the refusal of writing an object with the encryption that ``headers`` or the bucket ask for."""
    if not app.AUTH:
        return None
    wanted = headers if headers.get(_ALGORITHM) else s3._bucket_default_sse_headers(bucket)
    return _ask("kms:GenerateDataKey", wanted, bucket, key)


def header(kms_key: str) -> dict[str, str]:
    """Return the headers that ask for encryption with ``kms_key``."""
    return {_ALGORITHM: "aws:kms", _KEY: kms_key}


def _ask(action: str, encryption: dict[str, str], bucket: str, key: str) -> Refusal | None:
    name = encryption.get(_KEY)
    if encryption.get(_ALGORITHM) != "aws:kms" or not name:
        return None
    record = kms._resolve_key(name)
    arn = record["Arn"] if record is not None else name
    context = {
        "kms:ViaService": f"s3.{get_region()}.amazonaws.com",
        "kms:CallerAccount": get_account_id(),
        "kms:EncryptionContext:aws:s3:arn": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/{key}"],
    }
    who = callers.denied(action, arn, context)
    return None if who is None else (who, action, arn)
