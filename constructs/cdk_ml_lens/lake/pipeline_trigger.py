"""PipelineTrigger: when a lake's pipeline starts, by the clock or because data arrived."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.machine import DefinedMachine

_CRON = re.compile(r"\S+( \S+){5}")
_DEDUPLICATION_SECONDS = 300  # of an SQS FIFO queue; it cannot be set
_LONGEST_DELAY_SECONDS = 900  # of an SQS queue


@dataclass(frozen=True, kw_only=True)
class PipelineTrigger:
    """When a pipeline starts; made by the static methods.

    Parameters
    ----------
    kind : {"schedule", "arrival"}
        By the clock, or by new objects in the source table.
    expression : str, optional
        Expression of EventBridge Scheduler. Default: none, for arrival.
    time_zone : str
        Of a cron expression. Default: ``UTC``.
    settle_seconds : int
        From the first new object to the start, in seconds. Default: 300.

    Raises
    ------
    PropError
        When the expression or the time is none that AWS takes.

    Notes
    -----
    Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
    """

    kind: Literal["schedule", "arrival"]
    expression: str | None = None
    time_zone: str = "UTC"
    settle_seconds: int = _DEDUPLICATION_SECONDS

    def __post_init__(self) -> None:
        faults = Faults("pipeline trigger")
        faults.unless((self.expression is None) == (self.kind == "arrival"), "expression", "fit the kind", self.kind)
        faults.within(
            "settle_seconds",
            self.settle_seconds,
            _DEDUPLICATION_SECONDS,
            _LONGEST_DELAY_SECONDS,
            "an SQS FIFO queue drops repeats for 300 seconds and delays by 900 at most",
        )
        faults.raise_any()

    @staticmethod
    def every(*, minutes: int) -> PipelineTrigger:
        """Start at a fixed rate, in minutes."""
        faults = Faults("pipeline trigger")
        faults.unless(minutes >= 1, "minutes", "be at least 1", minutes)
        faults.raise_any()
        rate = f"rate({minutes} minute{'' if minutes == 1 else 's'})"
        return PipelineTrigger(kind="schedule", expression=rate)

    @staticmethod
    def cron(fields: str, *, time_zone: str = "UTC") -> PipelineTrigger:
        """Start by six cron fields: minutes, hours, day of month, month, day of week, year."""
        faults = Faults("pipeline trigger")
        faults.unless(_CRON.fullmatch(fields) is not None, "fields", "be six cron fields", fields)
        faults.raise_any()
        return PipelineTrigger(kind="schedule", expression=f"cron({fields})", time_zone=time_zone)

    @staticmethod
    def arrival(*, settle_seconds: int = _DEDUPLICATION_SECONDS) -> PipelineTrigger:
        """Start once for all objects that arrive within a time, 300 to 900 seconds, after the first."""
        return PipelineTrigger(kind="arrival", settle_seconds=settle_seconds)


def start_regularly(scope: Construct, trigger: PipelineTrigger, machine: DefinedMachine) -> scheduler.CfnSchedule:
    """Start the machine by the clock.

    Parameters
    ----------
    scope : Construct
        Owner.
    trigger : PipelineTrigger
        Of kind ``schedule``.
    machine : DefinedMachine
        What is started.
    """
    assert trigger.expression is not None  # checked by the value itself
    trusted = {"StringEquals": {"aws:SourceAccount": cdk.Stack.of(scope).account}}
    principal = iam.ServicePrincipal("scheduler.amazonaws.com", conditions=trusted)
    role = iam.Role(scope, "ScheduleRole", assumed_by=principal)
    grants.allow(role, ["states:StartExecution"], [machine.arn])
    kind = scheduler.CfnSchedule
    schedule = kind(
        scope,
        "Schedule",
        schedule_expression=trigger.expression,
        schedule_expression_timezone=trigger.time_zone,
        flexible_time_window=kind.FlexibleTimeWindowProperty(mode="OFF"),
        target=kind.TargetProperty(
            arn=machine.arn,
            role_arn=role.role_arn,
            input="{}",
            retry_policy=kind.RetryPolicyProperty(maximum_retry_attempts=5, maximum_event_age_in_seconds=3600),
        ),
    )
    schedule.node.add_dependency(role)
    return schedule
