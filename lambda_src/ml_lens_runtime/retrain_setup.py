"""The environment of retraining's handler, its AWS clients, and the manifest of a dataset."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from ml_lens_runtime.clients import Clients
from ml_lens_runtime.errors import ConfigurationError
from ml_lens_runtime.retrain_state import Dataset

CURRENT = "current.json"  # the newest manifest, below the prefix of the datasets
_MANIFEST_BYTES = 1_000_000


class DatasetError(Exception):
    """There is no manifest, or it is none; the message says which."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Setup:
    """The parsed environment; an absent preparation is an empty string."""

    name: str
    table: str
    machine_arn: str
    preparation_arn: str
    bucket: str
    prefix: str
    cool_down_seconds: int
    minimum_new_rows: int

    @classmethod
    def parse(cls, environ: Mapping[str, str]) -> Setup:
        """Parse the environment.

        Raises
        ------
        ConfigurationError
            A variable is missing or invalid; its name is the first word of the message.
        """
        return cls(
            name=_text(environ, "RETRAINING_NAME"),
            table=_text(environ, "TABLE_NAME"),
            machine_arn=_text(environ, "MACHINE_ARN"),
            preparation_arn=environ.get("PREPARATION_ARN", ""),
            bucket=_text(environ, "DATASET_BUCKET"),
            prefix=_text(environ, "DATASET_PREFIX"),
            cool_down_seconds=_whole(environ, "COOL_DOWN_SECONDS"),
            minimum_new_rows=_whole(environ, "MINIMUM_NEW_ROWS"),
        )


@dataclass(kw_only=True)
class RetrainClients(Clients):
    """DynamoDB (`ledger`), S3 (`artifacts`), Step Functions (`state_machine`), EventBridge, CloudWatch."""

    @cached_property
    def bus(self) -> Any:
        """EventBridge."""
        return self._service("events")

    @cached_property
    def watch(self) -> Any:
        """CloudWatch, for the state of an alarm."""
        return self._service("cloudwatch")


def current_uri(setup: Setup) -> str:
    """Return where the newest manifest lies."""
    return f"s3://{setup.bucket}/{setup.prefix}{CURRENT}"


def read_dataset(client: Any, setup: Setup, uri: str) -> Dataset:
    """Read a manifest.

    The newest manifest is read by one name and trained from by another: its version's own, which never changes.

    Parameters
    ----------
    client : S3 client
        Who reads.
    setup : Setup
        Where datasets lie.
    uri : str
        ``s3://bucket/key`` of the manifest.

    Raises
    ------
    DatasetError
        There is none, it lies elsewhere, or it names no version or no rows.
    """
    home = f"s3://{setup.bucket}/"
    if not uri.startswith(f"{home}{setup.prefix}"):
        raise DatasetError(f"{uri} is not below {home}{setup.prefix}")
    found = _read(client, setup.bucket, uri.removeprefix(home))
    if found is None:
        raise DatasetError(f"no manifest at {uri}")
    version, rows = _version_and_rows(found["Body"].read(_MANIFEST_BYTES), uri)
    if uri == current_uri(setup):
        uri = f"{home}{setup.prefix}{version}/dataset.json"
    return Dataset(uri=uri, version=version, rows=rows, written=found["LastModified"].timestamp())


def newest_dataset(client: Any, setup: Setup, uri: str) -> Dataset:
    """Read the manifest that arrived, or the newest if that was written later: arrivals may be told out of order.

    Raises
    ------
    DatasetError
        The one that arrived is none.
    """
    arrived = read_dataset(client, setup, uri)
    try:
        current = read_dataset(client, setup, current_uri(setup))
    except DatasetError:  # datasets made by hand have none
        return arrived
    return max(arrived, current, key=lambda dataset: (dataset.written, dataset.rows))


def _read(client: Any, bucket: str, key: str) -> dict[str, Any] | None:
    """Return an object, None if there is none.

    Who may not list the whole bucket hears AccessDenied for what does not exist; the name can be listed, though.
    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    """
    try:
        found: dict[str, Any] = client.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "NoSuchKey":
            return None
        listed = client.list_objects_v2(Bucket=bucket, Prefix=key) if code == "AccessDenied" else {"KeyCount": 1}
        if listed["KeyCount"] == 0:
            return None
        raise
    return found


def _version_and_rows(body: bytes, uri: str) -> tuple[str, int]:
    try:
        given = json.loads(body)
        version, counts = given["version"], given["rows"]
        rows = sum(counts.values())
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DatasetError(f"the manifest at {uri} has no version or no rows by split") from None
    if not isinstance(version, str) or not version or type(rows) is not int:
        raise DatasetError(f"the manifest at {uri} has no version or no rows by split")
    return version, rows


def _text(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise ConfigurationError(f"{name} must be set")
    return value


def _whole(environ: Mapping[str, str], name: str) -> int:
    text = _text(environ, name)
    if not (text.isascii() and text.isdigit()):
        raise ConfigurationError(f"{name} must be a whole number, got {text[:40]!r}")
    return int(text)
