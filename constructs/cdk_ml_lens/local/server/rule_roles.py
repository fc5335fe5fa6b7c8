"""With enforcement on, an IoT rule action needs what its role allows, as on AWS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack import app
from ministack.services import iot

Spec = dict[str, Any]
Needed = tuple[str, str]  # IAM action, resource ARN


def require(account_id: str, region: str, action: Spec) -> None:
    """Pass if the role of a rule action may be taken by IoT Core and allows what the action does.

    Raises
    ------
    RuntimeError
        If it does not; the rule's error action gets the text.
    """
    kind = next(iter(action), "")
    if not app.AUTH or kind not in _NEEDED:
        return
    spec = action[kind]
    name, resource = _NEEDED[kind](spec, f"{region}:{account_id}")
    role = spec.get("roleArn") or ""
    if not iot._provisioning_role_allows(role, [(name, resource)]):
        raise RuntimeError(f"AccessDenied: the role {role or '(none)'} must allow {name} on {resource}")


def _queue(spec: Spec, place: str) -> Needed:
    return "sqs:SendMessage", f"arn:aws:sqs:{place}:{spec['queueUrl'].rstrip('/').split('/')[-1]}"


def _delivery(spec: Spec, place: str) -> Needed:
    verb = "PutRecordBatch" if spec.get("batchMode") else "PutRecord"
    return f"firehose:{verb}", f"arn:aws:firehose:{place}:deliverystream/{spec['deliveryStreamName']}"


_NEEDED: dict[str, Callable[[Spec, str], Needed]] = {
    "sqs": _queue,
    "firehose": _delivery,
    "sns": lambda spec, _: ("sns:Publish", spec["targetArn"]),
    "kinesis": lambda spec, place: ("kinesis:PutRecord", f"arn:aws:kinesis:{place}:stream/{spec['streamName']}"),
    "s3": lambda spec, _: ("s3:PutObject", f"arn:aws:s3:::{spec['bucketName']}/{spec['key']}"),
    "republish": lambda spec, place: ("iot:Publish", f"arn:aws:iot:{place}:topic/{spec['topic']}"),
    "dynamoDBv2": lambda spec, place: (
        "dynamodb:PutItem",
        f"arn:aws:dynamodb:{place}:table/{spec['putItem']['tableName']}",
    ),
}
