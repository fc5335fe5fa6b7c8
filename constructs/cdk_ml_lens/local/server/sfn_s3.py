"""Step Functions' ``aws-sdk:s3``: objects read, written, listed and copied as the machine's role."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import botocore
from botocore.exceptions import BotoCoreError, ClientError
from ministack.core.responses import get_account_id, get_region
from ministack.services import stepfunctions

from . import role_session, sfn_execution

PREFIX = "arn:aws:states:::aws-sdk:s3:"
MOST_BYTES = 256 * 1024  # of a state's output: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
# What the SDK names; the rest is the service's own exception.
_MODELLED = ("NoSuchKey", "NoSuchBucket", "InvalidObjectState", "BucketAlreadyExists", "BucketAlreadyOwnedByYou")


def install() -> None:
    """Offer every operation of S3 that has a plain answer.

    A body is written as JSON, a text with its quotation marks, and read as text. Source:
    https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
    """
    stepfunctions._SERVICE_DISPATCH[PREFIX] = _call


def _call(resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
    action = resource.removeprefix(PREFIX)
    given = dict(arguments)
    if "Body" in given:
        given["Body"] = json.dumps(given["Body"]).encode()
    try:
        found = getattr(_client(), botocore.xform_name(action))(**given)
    except ClientError as failure:
        raise stepfunctions._ExecutionError(_name(failure), str(failure)) from failure
    except (AttributeError, BotoCoreError) as failure:
        raise stepfunctions._ExecutionError("States.Runtime", f"aws-sdk:s3:{action}: {failure}") from failure
    found.pop("ResponseMetadata", None)
    answer: dict[str, Any] = _plain(found)
    if len(json.dumps(answer)) > MOST_BYTES:
        raise stepfunctions._ExecutionError("States.DataLimitExceeded", f"the answer has more than {MOST_BYTES} bytes")
    return answer


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.read().decode(errors="replace") if hasattr(value, "read") else value


def _name(failure: ClientError) -> str:
    code = failure.response["Error"]["Code"]
    return f"S3.{code}Exception" if code in _MODELLED else "S3.S3Exception"


def _client() -> Any:
    role, name = sfn_execution.acting()
    return role_session.client("s3", role, name, region=get_region(), account=get_account_id())
