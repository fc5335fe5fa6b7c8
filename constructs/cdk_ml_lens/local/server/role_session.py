"""Clients of this gateway that act as a role, so that IAM is asked about what a service does for its user."""

from __future__ import annotations

import functools
import os
from typing import Any

import boto3
from botocore.config import Config
from ministack.core import lambda_runtime


def endpoint() -> str:
    """Return the URL of this gateway."""
    return f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"


def credentials(role: str, name: str, *, region: str, account: str) -> dict[str, str]:
    """Return AWS's variables with credentials of ``role``, or of the account when IAM is not enforced.

    Parameters
    ----------
    role
        ARN.
    name
        Who takes the role: one session for each name and role.
    region, account
        Where.
    """
    # MiniStack makes a session for any role; it takes account and region from the ARN of a function
    identity = f"arn:aws:lambda:{region}:{account}:function:{name}"
    config: dict[str, Any] = {"Role": role, "FunctionArn": identity, "FunctionName": name[:64]}
    given: dict[str, str] = lambda_runtime.execution_credentials(config)
    return {variable: value for variable, value in given.items() if value}


@functools.lru_cache(maxsize=64)
def client(service: str, role: str, name: str, *, region: str, account: str) -> Any:
    """Return the client of this gateway for ``service`` as ``role``."""
    given = credentials(role, name, region=region, account=account)
    # a session of its own: boto3's default one cannot make two clients at a time
    return boto3.session.Session().client(
        service,  # type: ignore[call-overload]
        endpoint_url=endpoint(),
        region_name=region,
        aws_access_key_id=given["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=given["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=given.get("AWS_SESSION_TOKEN"),
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2}, proxies={}, read_timeout=900),
    )
