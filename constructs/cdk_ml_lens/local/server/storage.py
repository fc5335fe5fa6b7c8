"""S3 as the server itself uses it: through its own gateway, as the account's root."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config


@functools.lru_cache(maxsize=1)
def client() -> Any:
    """Return an S3 client for this gateway."""
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
        region_name=os.environ["AWS_DEFAULT_REGION"],
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2}),
    )


def split(url: str) -> tuple[str, str]:
    """Return bucket and key of an ``s3://`` URL.

    Raises
    ------
    ValueError
        If it is not one.
    """
    bucket, _, key = url.removeprefix("s3://").partition("/")
    if not url.startswith("s3://") or not bucket:
        raise ValueError(f"URL must start with s3://bucket/, got {url}")
    return bucket, key


def download(url: str, target: Path) -> None:
    """Write the object at ``url`` to ``target``."""
    bucket, key = split(url)
    client().download_file(bucket, key, str(target))


def put(url: str, body: bytes, *, kms_key: str | None = None) -> None:
    """Write ``body`` to ``url``, encrypted with ``kms_key`` if there is one."""
    bucket, key = split(url)
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
    client().put_object(Bucket=bucket, Key=key, Body=body, **encryption)


def read(url: str) -> bytes:
    """Return the object at ``url``."""
    bucket, key = split(url)
    body: bytes = client().get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def names(url: str) -> list[str]:
    """Return the URLs of all objects below the prefix ``url``, in order."""
    bucket, prefix = split(url)
    pages = client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [f"s3://{bucket}/{item['Key']}" for page in pages for item in page.get("Contents", [])]
