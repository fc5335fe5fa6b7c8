"""One AWS client for each service and its settings: making one takes longer than most tests, moto resets the rest."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from moto import mock_aws

from ml_lens_runtime import clients

_SECRETS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}


@contextmanager
def shared() -> Iterator[None]:
    """Give every test the same clients: state is moto's, and `mock_aws` starts with none."""
    make: Callable[..., Any] = boto3.client
    made: dict[tuple[object, ...], Any] = {}

    def client(name: str, **settings: Any) -> Any:
        region = settings.get("region_name") or os.environ.get("AWS_DEFAULT_REGION", "us-east-1")
        rest = sorted((key, _comparable(value)) for key, value in settings.items() if key != "region_name")
        key = (name, region, *rest)
        if key not in made:
            made[key] = make(name, **_SECRETS | settings | {"region_name": region})
        return made[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boto3, "client", client)
        patch.setattr(clients, "_client", client)
        yield


@contextmanager
def one_bucket(name: str) -> Iterator[Any]:
    """Yield an S3 client of a new account on moto that has one bucket."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for key, value in _SECRETS.items():
            patch.setenv(key.upper(), value)
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=name)
        yield client


def _comparable(value: Any) -> str:
    options = getattr(value, "_user_provided_options", value)  # of a botocore Config
    return repr(options)
