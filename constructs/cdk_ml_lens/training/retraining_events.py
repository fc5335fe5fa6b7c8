"""The ways in which retraining hears of its causes: rules on the event bus, and schedules."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.event_rules import admit_undelivered
from cdk_ml_lens.training.dataset_source import DatasetSource
from cdk_ml_lens.training.retraining_values import RetrainingCause

# Scheduler puts the time there: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
_WHEN = "<aws.scheduler.scheduled-time>"
_WRITES = ["PutObject", "CopyObject", "CompleteMultipartUpload"]
_ENDS = ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]


class RetrainingEvents(Construct):
    """Rules and schedules that call one function; `Retraining` makes them.

    Parameters
    ----------
    scope, id
        As for every construct.
    function : IFunction
        What is called.
    causes : sequence of RetrainingCause
        What it is called for.
    datasets : DatasetSource
        Where new data arrives.
    machines : sequence of str
        ARNs of the state machines whose ends it hears of.
    look_minutes : int
        How often it is called for nothing in particular, in minutes.
    dead_letters : Queue
        Where EventBridge puts what it could not deliver within a day.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        function: lambda_.IFunction,
        causes: Sequence[RetrainingCause],
        datasets: DatasetSource,
        machines: Sequence[str],
        look_minutes: int,
        dead_letters: sqs.Queue,
    ) -> None:
        super().__init__(scope, id)
        self._function = function
        self._dead_letters = dead_letters
        admit_undelivered(dead_letters)
        self._role = self._schedule_role()
        for number, cause in enumerate(causes, start=1):
            name = f"{cause.kind.capitalize()}{number}"
            if cause.trigger is not None:
                self._schedule(name, cause.trigger.expression, {"cause": "schedule", "name": name, "at": _WHEN}, cause)
            elif cause.alarm is not None:
                self._rule(name, alarm_raised(cause.alarm.alarm_arn))
            else:
                self._rule(name, manifest_written(datasets, through_trail=cause.way == "cloudtrail"))
        self._rule("Ended", executions_ended(machines))
        unit = "minute" if look_minutes == 1 else "minutes"
        self._schedule("Look", f"rate({look_minutes} {unit})", {"look": True})

    def _rule(self, id: str, pattern: events.EventPattern) -> events.Rule:
        target = targets.LambdaFunction(
            self._function,
            retry_attempts=185,
            max_event_age=cdk.Duration.hours(24),
            dead_letter_queue=self._dead_letters,
        )
        return events.Rule(self, id, event_pattern=pattern, targets=[target])

    def _schedule(
        self, id: str, expression: str | None, given: Mapping[str, Any], cause: RetrainingCause | None = None
    ) -> scheduler.CfnSchedule:
        assert expression is not None  # checked by the cause itself
        zone = None if cause is None or cause.trigger is None else cause.trigger.time_zone
        kind = scheduler.CfnSchedule
        schedule = kind(
            self,
            id,
            schedule_expression=expression,
            schedule_expression_timezone=zone,
            flexible_time_window=kind.FlexibleTimeWindowProperty(mode="OFF"),
            target=kind.TargetProperty(
                arn=self._function.function_arn,
                role_arn=self._role.role_arn,
                input=json.dumps(given),
                retry_policy=kind.RetryPolicyProperty(maximum_retry_attempts=5, maximum_event_age_in_seconds=3600),
            ),
        )
        schedule.node.add_dependency(self._role)
        return schedule

    def _schedule_role(self) -> iam.Role:
        trusted = {"StringEquals": {"aws:SourceAccount": cdk.Stack.of(self).account}}
        principal = iam.ServicePrincipal("scheduler.amazonaws.com", conditions=trusted)
        role = iam.Role(self, "ScheduleRole", assumed_by=principal)
        grants.allow(role, ["lambda:InvokeFunction"], [self._function.function_arn])
        return role


def manifest_written(datasets: DatasetSource, *, through_trail: bool) -> events.EventPattern:
    """Return the pattern of a new manifest, by S3's own event or by a trail's record of the call.

    Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html,
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
    """
    bucket, key = [datasets.bucket.bucket_name], events.Match.wildcard(f"{datasets.prefix}/*/dataset.json")
    if not through_trail:
        detail: dict[str, Any] = {"bucket": {"name": bucket}, "object": {"key": key}}
        return events.EventPattern(source=["aws.s3"], detail_type=["Object Created"], detail=detail)
    return events.EventPattern(
        source=["aws.s3"],
        detail_type=["AWS API Call via CloudTrail"],
        detail={
            "eventSource": ["s3.amazonaws.com"],
            "eventName": _WRITES,
            "errorCode": events.Match.does_not_exist(),
            "requestParameters": {"bucketName": bucket, "key": key},
        },
    )


def alarm_raised(alarm_arn: str) -> events.EventPattern:
    """Return the pattern of an alarm that goes off.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
    """
    detail = {"state": {"value": ["ALARM"]}}
    kind = ["CloudWatch Alarm State Change"]
    return events.EventPattern(source=["aws.cloudwatch"], detail_type=kind, resources=[alarm_arn], detail=detail)


def executions_ended(machines: Sequence[str]) -> events.EventPattern:
    """Return the pattern of the ends of state machines.

    Source: https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
    """
    detail = {"stateMachineArn": list(machines), "status": _ENDS}
    kind = ["Step Functions Execution Status Change"]
    return events.EventPattern(source=["aws.states"], detail_type=kind, detail=detail)
