"""The replay of a StreamIngest: originals of a time range go through the transformation again, as a state machine."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.alarms import AlarmRule, add_alarm
from cdk_ml_lens.core.function import HandlerFunction
from cdk_ml_lens.core.machine import DefinedMachine
from cdk_ml_lens.lake.access import Objects
from cdk_ml_lens.lake.stream_delivery import Backup, Delivery, DeliveryStream

FAILURE_ALARM = AlarmRule(
    metric="ExecutionsFailed",
    threshold=0,
    description="A replay is incomplete: its output counts what failed or was unreadable. Start the same range again.",
)
_HOURS_AT_ONCE = 2
# An hour of one gigabyte takes several runs; this bounds nothing but a defect.
_TIMEOUT_HOURS = 24
_LAMBDA_FAULTS = [
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.ClientExecutionTimeoutException",
]


class Replay(Construct):
    """The state machine, its function, and a Firehose stream of their own into the same table.

    A stream of its own, so that a replay reaches only the lake and not the other readers of the source, is not backed
    up a second time, and takes no throughput from live records.

    Parameters
    ----------
    scope, id
        As for every construct.
    delivery : Delivery
        Same as the live stream's.
    backup : Backup
        Where the originals are.

    Attributes
    ----------
    machine : DefinedMachine
        Start it with ``{"from": "2027-01-15T12:00:00Z", "to": "2027-01-15T13:00:00Z"}``.
    stream : DeliveryStream
    """

    def __init__(self, scope: Construct, id: str, *, delivery: Delivery, backup: Backup) -> None:
        super().__init__(scope, id)
        self.stream = DeliveryStream(self, "Stream", delivery=delivery)
        handler = HandlerFunction(
            self,
            "Handler",
            handler="replay_records",
            environment={
                "BACKUP_BUCKET": backup.bucket.bucket_name,
                "BACKUP_PREFIX": backup.prefix,
                "STREAM_NAME": self.stream.stream.ref,
            },
            encryption_key=delivery.key,
            timeout_seconds=900,
            memory_mb=1024,
        )
        Objects(bucket=backup.bucket, key=delivery.key, prefixes=[backup.prefix]).grant_fetch(handler.role)
        grants.allow(handler.role, ["firehose:PutRecordBatch"], [self.stream.arn])
        handler.answers("Step Functions")
        handler.function.node.add_dependency(handler.role)
        arn = handler.function.function_arn
        self.machine = DefinedMachine(self, "Machine", definition=_definition(arn), encryption_key=delivery.key)
        grants.allow(self.machine.role, ["lambda:InvokeFunction"], [arn])

    def alarm(self, id: str, rule: AlarmRule, *, topic: sns.ITopic | None) -> cloudwatch.Alarm:
        """Make an alarm on a metric of the machine."""
        return add_alarm(self, id, metric=self.machine.metric(rule.metric), rule=rule, topic=topic)


def _definition(function_arn: str) -> dict[str, Any]:
    """Return the machine: plan the hours, replay each until it is done, sum up, fail if anything is missing."""
    plan = {"Payload": {"step": "plan", "from.$": "$.from", "to.$": "$.to"}}
    total = {"Payload": {"step": "sum", "hours.$": "$.hours"}}
    return {
        "Comment": "Replay the originals of [from, to); the output counts every record.",
        "TimeoutSeconds": _TIMEOUT_HOURS * 3600,
        "StartAt": "Plan",
        "States": {
            "Plan": _call(function_arn, plan, "$.Payload", Next="Hours"),
            "Hours": {
                "Type": "Map",
                "ItemsPath": "$.hours",
                "MaxConcurrency": _HOURS_AT_ONCE,
                "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, **_hour(function_arn)},
                "ResultPath": "$.hours",
                "Next": "Sum",
            },
            "Sum": _call(function_arn, total, "$.Payload", Next="Complete"),
            "Complete": _choice("$.complete", "Done", default="Incomplete"),
            "Done": {"Type": "Succeed"},
            "Incomplete": {"Type": "Fail", "Error": "IncompleteReplay", "CausePath": "States.JsonToString($)"},
        },
    }


def _hour(function_arn: str) -> dict[str, Any]:
    """Return the states of one hour; its result is the counts alone, or 31 days would not fit into a state."""
    return {
        "StartAt": "ReplayHour",
        "States": {
            "ReplayHour": _call(function_arn, {"Payload.$": "$"}, "$.Payload", Next="HourDone"),
            "HourDone": _choice("$.done", "HourCounts", default="ReplayHour"),
            "HourCounts": {"Type": "Pass", "Parameters": {"counts.$": "$.counts"}, "End": True},
        },
    }


def _choice(variable: str, following: str, *, default: str) -> dict[str, Any]:
    rule = {"Variable": variable, "BooleanEquals": True, "Next": following}
    return {"Type": "Choice", "Choices": [rule], "Default": default}


def _call(function_arn: str, parameters: dict[str, Any], output: str, **rest: Any) -> dict[str, Any]:
    """Return a task that calls the function; a call that comes again sends again, and the ETL drops the doubles."""
    return {
        "Type": "Task",
        "Resource": f"arn:{cdk.Aws.PARTITION}:states:::lambda:invoke",
        "Parameters": {"FunctionName": function_arn, **parameters},
        "OutputPath": output,
        "Retry": [{"ErrorEquals": _LAMBDA_FAULTS, "IntervalSeconds": 2, "MaxAttempts": 6, "BackoffRate": 2}],
        **rest,
    }
