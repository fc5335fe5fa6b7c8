"""Writes into a version's manifest who approved it and the artifact's hash, once the version serves; only once."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Mapping
from typing import Any

import boto3

from ml_lens_runtime import manifest as manifests
from ml_lens_runtime.errors import ConfigurationError
from ml_lens_runtime.machine_events import text

logger = logging.getLogger(__name__)


@functools.cache
def _process() -> tuple[str, Any]:
    """Parse the environment and make the client once per process."""
    bucket = os.environ.get("REGISTRY_BUCKET", "").strip()
    if not bucket:
        raise ConfigurationError("REGISTRY_BUCKET must be set")
    return bucket, boto3.client("s3")


def handler(event: Mapping[str, Any], _context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    bucket, s3 = _process()
    return run(event, bucket=bucket, s3=s3)


def run(event: Mapping[str, Any], *, bucket: str, s3: Any) -> dict[str, Any]:
    """Write what the manifest does not say yet; a bucket with versions keeps what was there before.

    Parameters
    ----------
    event : mapping
        ``manifest`` (URI), ``approver``, and ``sha256`` of the artifact that was deployed.
    bucket : str
        Bucket of the registry.
    s3 : client
        boto3 client of S3.

    Returns
    -------
    dict
        ``written``: whether the manifest was changed.

    Raises
    ------
    EventError
        The event names no manifest.
    ManifestError
        There is no such manifest in this registry.
    """
    uri = text(event, "manifest")
    manifest = manifests.read(uri, bucket=bucket, s3=s3)
    known = {"approver": event.get("approver"), "model_data_sha256": event.get("sha256")}
    new = {name: value for name, value in known.items() if _is_text(value) and not manifest.document.get(name)}
    if not new:
        return {"written": False}
    _, key = manifests.split_uri(uri)
    s3.put_object(Bucket=bucket, Key=key, Body=manifest.completed(new), ContentType="application/json")
    logger.info("recorded", extra={"model_version": manifest.model_version})
    return {"written": True}


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""
