"""Works out a deployment: which version, whether it may be deployed, and the calls that serve it; changes nothing."""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import time
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError

from ml_lens_runtime import manifest as manifests
from ml_lens_runtime import model_versions
from ml_lens_runtime.deployment_plan import Settings, plan
from ml_lens_runtime.machine_events import mapping, text
from ml_lens_runtime.manifest import Manifest, ManifestError

logger = logging.getLogger(__name__)

_CHUNK = 1 << 20
_NAMES = ("manifest", "version", "model_package_arn")


class ArtifactChangedError(RuntimeError):
    """The artifact is gone, or not the one that the manifest describes."""


@functools.cache
def _process() -> tuple[Settings, Any, Any]:
    """Parse the environment and make the clients once per process."""
    return Settings.parse(os.environ), boto3.client("s3"), boto3.client("sagemaker")


def handler(event: Mapping[str, Any], _context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    settings, s3, sagemaker = _process()
    return run(event, settings=settings, s3=s3, sagemaker=sagemaker, now=time.time())


def run(event: Mapping[str, Any], *, settings: Settings, s3: Any, sagemaker: Any, now: float) -> dict[str, Any]:
    """Return the plan of a deployment; the same event gives the same plan.

    Parameters
    ----------
    event : mapping
        ``mode`` (``approved`` or ``rebuild``), ``execution``, and ``request``: a ``model_package_arn``; to rebuild
        also a ``manifest`` (URI) or a ``version``.
    settings : Settings
        The parsed environment.
    s3, sagemaker : client
        boto3 clients.
    now : float
        Seconds since the epoch.

    Raises
    ------
    EventError
        A field of the event is missing or of another kind.
    ManifestError, VersionMissingError, NotApprovedError, ApprovalExpiredError, SupersededError, ArtifactChangedError
        The version must not be deployed.
    """
    approved, request, execution = text(event, "mode") == "approved", _request(event), text(event, "execution")
    uri, approver = _approved(request, settings, sagemaker, now) if approved else ("", None)
    uri = uri if approved else _wanted(request, settings, s3, sagemaker)
    manifest = manifests.read(uri, bucket=settings.bucket, s3=s3)
    _check_request(manifest, request)
    sha256 = _hash_artifact(manifest, s3)
    made = plan(manifest, settings=settings, from_package=approved, execution=execution)
    logger.info("planned", extra={"deployment": made["name"], "model_version": manifest.model_version})
    return {**made, "manifest": uri, "approver": manifest.document.get("approver") or approver, "sha256": sha256}


def _request(event: Mapping[str, Any]) -> dict[str, str]:
    """Return what names the version; a field that is null is not there."""
    given = mapping(event.get("request"), "request")
    return {name: text(given, name) for name in _NAMES if given.get(name) not in (None, "")}


def _approved(request: Mapping[str, str], settings: Settings, sagemaker: Any, now: float) -> tuple[str, str]:
    """Return manifest and approver of a version that may be deployed now."""
    version = model_versions.describe(_package(request), sagemaker=sagemaker)
    model_versions.check(version, group=settings.group, expire_days=settings.expire_days, now=now, sagemaker=sagemaker)
    if version.manifest is None:
        raise ManifestError(f"{version.arn} names no manifest in its metadata")
    return version.manifest, version.approver


def _wanted(request: Mapping[str, str], settings: Settings, s3: Any, sagemaker: Any) -> str:
    """Return the manifest that a rebuild names, by itself, by its version, or by its model package."""
    if request.get("manifest"):
        return request["manifest"]
    if request.get("version"):
        return manifests.find(request["version"], bucket=settings.bucket, s3=s3)
    found = model_versions.describe(_package(request), sagemaker=sagemaker).manifest
    if found is None:
        raise ManifestError(f"{_package(request)} names no manifest in its metadata")
    return found


def _package(request: Mapping[str, str]) -> str:
    arn = request.get("model_package_arn")
    if not arn:
        raise ManifestError(f"the request names no version, got {sorted(request)}")
    return arn


def _check_request(manifest: Manifest, request: Mapping[str, str]) -> None:
    """Refuse a manifest of another version than the one that was asked for."""
    for field, found in (("model_package_arn", manifest.model_package_arn), ("version", manifest.model_version)):
        wanted = request.get(field)
        if wanted and wanted != found:
            raise ManifestError(f"the manifest is of {found}, not of {wanted}")


def _hash_artifact(manifest: Manifest, s3: Any) -> str:
    """Read the artifact and return its hash, which must be the manifest's where that has one."""
    bucket, key = manifests.split_uri(manifest.model_data)
    try:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchKey", "NoSuchBucket"):
            raise
        raise ArtifactChangedError(f"there is no {manifest.model_data}") from None
    found = _sha256(body)
    if manifest.sha256 not in (None, found):
        raise ArtifactChangedError(f"{manifest.model_data} has the hash {found}, the manifest says {manifest.sha256}")
    return found


def _sha256(body: Any) -> str:
    digest = hashlib.sha256()
    for part in body.iter_chunks(_CHUNK):
        digest.update(part)
    return digest.hexdigest()
