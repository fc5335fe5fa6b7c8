"""The manifest of a model version: everything that is needed to serve it again, read from S3 and checked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MANIFEST_VERSION = 1
PREFIX = "manifests/"
_URI = re.compile(r"s3://([a-z0-9.-]{3,63})/(.+)")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class ManifestError(ValueError):
    """A manifest is missing, ambiguous, or does not say what a deployment needs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """What of a manifest a deployment uses; `document` is all of it."""

    model_version: str
    model_package_arn: str
    model_data: str
    image: str
    environment: Mapping[str, str]
    instance_type: str
    instance_count: int
    sha256: str | None = None
    document: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, raw: bytes) -> Manifest:
        """Read a manifest.

        Raises
        ------
        ManifestError
            It is no JSON object, of another format version, or lacks a field; the field is named.
        """
        document = _object(raw)
        if document.get("manifest_version") != MANIFEST_VERSION:
            found = document.get("manifest_version")
            raise ManifestError(f"manifest_version must be {MANIFEST_VERSION}, got {found!r}")
        endpoint, environment = document.get("endpoint"), document.get("environment", {})
        if not isinstance(endpoint, dict) or not isinstance(environment, dict):
            raise ManifestError("endpoint and environment must be objects")
        count = endpoint.get("instance_count")
        if type(count) is not int or count < 1:
            raise ManifestError(f"endpoint.instance_count must be a whole number of at least 1, got {count!r}")
        sha256 = document.get("model_data_sha256")
        return cls(
            model_version=_text(document, "model_version"),
            model_package_arn=_text(document, "model_package_arn"),
            model_data=_text(document, "model_data"),
            image=_text(document, "image"),
            environment={str(name): str(value) for name, value in environment.items()},
            instance_type=_text(endpoint, "instance_type"),
            instance_count=count,
            sha256=sha256 if isinstance(sha256, str) and sha256 else None,
            document=document,
        )

    def completed(self, new: Mapping[str, Any]) -> bytes:
        """Return the manifest with further fields, as it is stored."""
        return json.dumps({**self.document, **new}, indent=2, sort_keys=True).encode()


def split_uri(uri: str) -> tuple[str, str]:
    """Return bucket and key of an ``s3://`` URI.

    Raises
    ------
    ManifestError
        It is none.
    """
    found = _URI.fullmatch(uri)
    if found is None:
        raise ManifestError(f"an s3:// URI is needed, got {uri[:200]!r}")
    return found.group(1), found.group(2)


def read(uri: str, *, bucket: str, s3: Any) -> Manifest:
    """Read a manifest of one registry.

    Raises
    ------
    ManifestError
        The URI is not below the registry's manifests, nothing is there, or it is no manifest.
    """
    found, key = split_uri(uri)
    if found != bucket or not key.startswith(PREFIX):
        raise ManifestError(f"the manifest must lie below s3://{bucket}/{PREFIX}, got {uri[:200]}")
    try:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except s3.exceptions.NoSuchKey:
        raise ManifestError(f"there is no {uri}") from None
    return Manifest.parse(body)


def find(version: str, *, bucket: str, s3: Any) -> str:
    """Return the URI of the one manifest of a model version.

    Raises
    ------
    ManifestError
        There is none, or more than one: then name the manifest itself.
    """
    if _VERSION.fullmatch(version) is None:
        raise ManifestError(f"a version is letters, digits and . _ -, got {version[:200]!r}")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{PREFIX}{version}-")
    uris = [f"s3://{bucket}/{item['Key']}" for page in pages for item in page.get("Contents", [])]
    matching = [uri for uri in uris if read(uri, bucket=bucket, s3=s3).model_version == version]
    if len(matching) != 1:
        raise ManifestError(f"version {version} has {len(matching)} manifests, it must be one: {matching[:5]}")
    return matching[0]


def _object(raw: bytes) -> dict[str, Any]:
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"a manifest must be JSON: {error}") from None
    if not isinstance(document, dict):
        raise ManifestError("a manifest must be a JSON object")
    return document


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise ManifestError(f"{name} must be a text, got {value!r}")
    return value
