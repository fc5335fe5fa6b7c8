"""Answers CloudFormation: is the endpoint InService on the configuration that was just deployed?"""

from __future__ import annotations

import functools
import json
import logging
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

import boto3

logger = logging.getLogger(__name__)

Respond = Callable[[str, bytes], None]


@functools.cache
def _sagemaker() -> Any:
    return boto3.client("sagemaker")


def handler(event: Mapping[str, Any], context: Any) -> None:
    """Lambda's entry point."""
    run(event, sagemaker=_sagemaker(), respond=put, log_stream=context.log_stream_name)


def run(event: Mapping[str, Any], *, sagemaker: Any, respond: Respond, log_stream: str) -> None:
    """Check the endpoint and answer; an unexpected error is an answer, too, or CloudFormation would wait an hour.

    Parameters
    ----------
    event : mapping
        CloudFormation's request.
    sagemaker : client
        boto3 client of SageMaker AI.
    respond : callable
        Sends bytes to a URL.
    log_stream : str
        Named in the reason, so that the log is found.
    """
    try:
        reason = None if event["RequestType"] == "Delete" else complaint(event["ResourceProperties"], sagemaker)
    except Exception as error:
        logger.exception("verification failed")
        reason = f"the check itself failed: {type(error).__name__}; see log stream {log_stream}"
    body = {
        "Status": "SUCCESS" if reason is None else "FAILED",
        "Reason": "verified" if reason is None else reason,
        "PhysicalResourceId": event.get("PhysicalResourceId", event.get("LogicalResourceId")),
        **{name: event.get(name) for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    respond(event["ResponseURL"], json.dumps(body).encode())


def complaint(wanted: Mapping[str, str], sagemaker: Any) -> str | None:
    """Return what is wrong with the endpoint, or None."""
    endpoint = sagemaker.describe_endpoint(EndpointName=wanted["EndpointName"])
    status, live = endpoint["EndpointStatus"], endpoint["EndpointConfigName"]
    if status != "InService":
        cause = endpoint.get("FailureReason", "no reason given")
        return f"endpoint {wanted['EndpointName']} is {status}, not InService: {cause}"
    if live != wanted["EndpointConfigName"]:
        return (
            f"endpoint {wanted['EndpointName']} is InService on the old configuration {live}: the update to "
            f"{wanted['EndpointConfigName']} was rolled back; see its rollback alarms"
        )
    return None


def put(url: str, body: bytes) -> None:
    """Send the answer to CloudFormation's presigned URL."""
    request = urllib.request.Request(url, data=body, method="PUT", headers={"Content-Type": ""})  # noqa: S310
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - the URL comes from CloudFormation
        logger.info("answered", extra={"status": answer.status})
