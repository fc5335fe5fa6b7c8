"""Step Functions' ``aws-sdk:s3:getObject``: an object as text, read as the machine's role."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError
from ministack.core.responses import get_account_id, get_region
from ministack.services import stepfunctions

from . import role_session, sfn_execution

GET_OBJECT = "arn:aws:states:::aws-sdk:s3:getObject"
MOST_BYTES = 256 * 1024  # of a state's output: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
_MODELLED = ("NoSuchKey", "InvalidObjectState")  # what the SDK names; the rest is the service's own exception


def install() -> None:
    """Offer the integration.

    Source: https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
    """
    stepfunctions._SERVICE_DISPATCH[GET_OBJECT] = _get_object


def _get_object(resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
    if resource != GET_OBJECT:  # such as getObjectTagging, which begins alike
        answer: dict[str, Any] = stepfunctions._invoke_aws_sdk_integration(resource, arguments)
        return answer
    try:
        found = _client().get_object(**arguments)
    except ClientError as failure:
        raise stepfunctions._ExecutionError(_name(failure), str(failure)) from failure
    answer = {"Body": found["Body"].read().decode(errors="replace"), "ContentLength": found["ContentLength"]}
    if len(json.dumps(answer)) > MOST_BYTES:
        raise stepfunctions._ExecutionError("States.DataLimitExceeded", f"the object is larger than {MOST_BYTES} bytes")
    return answer


def _name(failure: ClientError) -> str:
    code = failure.response["Error"]["Code"]
    return f"S3.{code}Exception" if code in _MODELLED else "S3.S3Exception"


def _client() -> Any:
    execution = stepfunctions._executions.get(sfn_execution._execution.get()) or {}
    machine = stepfunctions._state_machines.get(execution.get("stateMachineArn")) or {}
    name = str(execution.get("name", ""))
    return role_session.client(
        "s3", str(machine.get("roleArn", "")), name, region=get_region(), account=get_account_id()
    )
