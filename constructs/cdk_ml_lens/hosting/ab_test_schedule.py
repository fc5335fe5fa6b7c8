"""The schedule of an A/B test's evaluation."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.function import HandlerFunction


def evaluate_regularly(
    scope: Construct, evaluator: HandlerFunction, *, minutes: int, dead_letters: sqs.IQueue
) -> scheduler.CfnSchedule:
    """Run the evaluator every so many minutes; what cannot even be started goes to the dead letters.

    Parameters
    ----------
    scope : Construct
        Owner.
    evaluator : HandlerFunction
        The function.
    minutes : int
        Time between two runs, in minutes.
    dead_letters : IQueue
        Where Scheduler puts what it could not start.

    Notes
    -----
    Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
    """
    trusted = {"StringEquals": {"aws:SourceAccount": cdk.Stack.of(scope).account}}
    principal = iam.ServicePrincipal("scheduler.amazonaws.com", conditions=trusted)
    role = iam.Role(scope, "ScheduleRole", assumed_by=principal)
    function_arn = evaluator.function.function_arn
    grants.allow(role, ["lambda:InvokeFunction"], [function_arn])
    grants.send_messages(role, dead_letters)
    kind = scheduler.CfnSchedule
    schedule = kind(
        scope,
        "Schedule",
        schedule_expression=f"rate({minutes} minute{'' if minutes == 1 else 's'})",
        flexible_time_window=kind.FlexibleTimeWindowProperty(mode="OFF"),
        target=kind.TargetProperty(
            arn=function_arn,
            role_arn=role.role_arn,
            input="{}",
            retry_policy=kind.RetryPolicyProperty(maximum_retry_attempts=2, maximum_event_age_in_seconds=600),
            dead_letter_config=kind.DeadLetterConfigProperty(arn=dead_letters.queue_arn),
        ),
    )
    schedule.node.add_dependency(role)
    return schedule
