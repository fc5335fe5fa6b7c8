"""What a state asks of Lambda, EventBridge, SQS, DynamoDB, CloudWatch and so on: its machine's role must allow it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import stepfunctions

from . import sfn_execution

Arguments = dict[str, Any]
Needed = tuple[str, str, dict[str, Any] | None]  # IAM action, resource ARN, condition keys
_PREFIX = "arn:aws:states:::"


def install() -> None:
    """Ask the role before a state's request is made; SageMaker, Glue and S3 have checks of their own.

    Sources: https://docs.aws.amazon.com/step-functions/latest/dg/service-integration-iam-templates.html,
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
    """
    stepfunctions._invoke_resource = _guarded(stepfunctions._invoke_resource)


def _guarded(original: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    def invoke_resource(resource: str, input_data: Any) -> Any:
        service, needed = _CHECKS.get(resource.removeprefix(_PREFIX), ("", _nothing))
        for action, arn, context in needed(input_data):
            sfn_execution.require(action, arn, service=service, context=context)
        return original(resource, input_data)

    return invoke_resource


def _nothing(_: Arguments) -> list[Needed]:
    return []


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{get_region()}:{get_account_id()}:{resource}"


def _named(service: str, kind: str, name: str) -> str:
    return name if name.startswith("arn:") else _arn(service, f"{kind}{name}")


def _functions(given: Arguments) -> list[Needed]:
    return [("lambda:InvokeFunction", _named("lambda", "function:", given["FunctionName"]), None)]


def _buses(given: Arguments) -> list[Needed]:
    return [
        (
            "events:PutEvents",
            _named("events", "event-bus/", entry.get("EventBusName") or "default"),
            {"events:source": entry.get("Source"), "events:detail-type": entry.get("DetailType")},
        )
        for entry in given.get("Entries", [])
    ]


def _queue(given: Arguments) -> list[Needed]:
    return [("sqs:SendMessage", _arn("sqs", given["QueueUrl"].rstrip("/").split("/")[-1]), None)]


def _table(action: str) -> Callable[[Arguments], list[Needed]]:
    return lambda given: [(f"dynamodb:{action}", _named("dynamodb", "table/", given["TableName"]), None)]


def _metrics_read(_: Arguments) -> list[Needed]:
    return [("cloudwatch:GetMetricData", "*", None)]


def _metrics_written(given: Arguments) -> list[Needed]:
    return [("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": given.get("Namespace")})]


def _alarms(given: Arguments) -> list[Needed]:
    arns = [_arn("cloudwatch", f"alarm:{name}") for name in given.get("AlarmNames", [])] or ["*"]
    return [("cloudwatch:DescribeAlarms", arn, None) for arn in arns]


def _states(action: str, field: str) -> Callable[[Arguments], list[Needed]]:
    return lambda given: [(f"states:{action}", given[field], None)]


_CHECKS: dict[str, tuple[str, Callable[[Arguments], list[Needed]]]] = {
    "lambda:invoke": ("Lambda", _functions),
    "events:putEvents": ("EventBridge", _buses),
    "sqs:sendMessage": ("SQS", _queue),
    "sns:publish": ("SNS", lambda given: [("sns:Publish", given.get("TopicArn", "*"), None)]),
    "dynamodb:getItem": ("DynamoDB", _table("GetItem")),
    "dynamodb:putItem": ("DynamoDB", _table("PutItem")),
    "dynamodb:updateItem": ("DynamoDB", _table("UpdateItem")),
    "dynamodb:deleteItem": ("DynamoDB", _table("DeleteItem")),
    "aws-sdk:cloudwatch:getMetricData": ("CloudWatch", _metrics_read),
    "aws-sdk:cloudwatch:putMetricData": ("CloudWatch", _metrics_written),
    "aws-sdk:cloudwatch:describeAlarms": ("CloudWatch", _alarms),
    "aws-sdk:sfn:listExecutions": ("Sfn", _states("ListExecutions", "StateMachineArn")),
    "aws-sdk:sfn:describeExecution": ("Sfn", _states("DescribeExecution", "ExecutionArn")),
}
