"""DriftSchedule and MonitoringJob: how often traffic is judged, over how much of it, and on what."""

from __future__ import annotations

import json
from dataclasses import dataclass

from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.machine import DefinedMachine
from cdk_ml_lens.core.refs import PrivateNetwork
from cdk_ml_lens.monitoring import access

_DAY = 1440
_LONGEST_WINDOW = 7 * _DAY
_LONGEST_DELAY = 90 * _DAY  # for labels
_LONGEST_JOB = (
    777_600 // 60
)  # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProcessingStoppingCondition.html


@dataclass(frozen=True, kw_only=True)
class DriftSchedule:
    """How often traffic is judged, and how much of it.

    Parameters
    ----------
    every_minutes : int
        From one run to the next, in minutes; also the length of its window. Default: 1,440, a day: most sensors have
        a daily cycle, and a part of it says little about the whole.
    delay_minutes : int
        How long before a run its window ends, in minutes: SageMaker AI writes captures with a delay. Default: 10.

    Raises
    ------
    PropError
        When a number is out of range.

    Notes
    -----
    Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
    """

    every_minutes: int = _DAY
    delay_minutes: int = 10

    def __post_init__(self) -> None:
        faults = Faults("drift schedule")
        faults.within("every_minutes", self.every_minutes, 1, _LONGEST_WINDOW)
        faults.within("delay_minutes", self.delay_minutes, 0, _LONGEST_DELAY)
        faults.raise_any()

    @property
    def expression(self) -> str:
        """Expression of EventBridge Scheduler."""
        return f"rate({self.every_minutes} minute{'' if self.every_minutes == 1 else 's'})"


@dataclass(frozen=True, kw_only=True)
class MonitoringJob:
    """On what a processing job of monitoring runs.

    Parameters
    ----------
    instance_type : str
        SageMaker AI instance type. Default: ``ml.t3.medium``.
    volume_gb : int
        Its volume, in GB. Default: 10.
    max_minutes : int
        The job is stopped after this. Default: 30.
    network : PrivateNetwork, optional
        VPC of the container, such as an `IsolatedNetwork` with S3. Default: none; the container has no network.

    Raises
    ------
    PropError
        When a number is out of range.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProcessingClusterConfig.html
    """

    instance_type: str = "ml.t3.medium"
    volume_gb: int = 10
    max_minutes: int = 30
    network: PrivateNetwork | None = None

    def __post_init__(self) -> None:
        faults = Faults("monitoring job")
        faults.unless(self.instance_type.startswith("ml."), "instance_type", "begin with ml.", self.instance_type)
        faults.within("volume_gb", self.volume_gb, 1, 16_384)
        faults.within("max_minutes", self.max_minutes, 1, _LONGEST_JOB)
        faults.raise_any()


def start_regularly(scope: Construct, schedule: DriftSchedule, machine: DefinedMachine) -> scheduler.CfnSchedule:
    """Start with the time that was meant, so that a late or repeated start judges the same window."""
    role = access.start_role(scope, "ScheduleRole", "scheduler.amazonaws.com", machine)
    kind = scheduler.CfnSchedule
    made = kind(
        scope,
        "Schedule",
        schedule_expression=schedule.expression,
        flexible_time_window=kind.FlexibleTimeWindowProperty(mode="OFF"),
        target=kind.TargetProperty(
            arn=machine.arn,
            role_arn=role.role_arn,
            input=json.dumps({"scheduled": "<aws.scheduler.scheduled-time>"}),
            retry_policy=kind.RetryPolicyProperty(maximum_retry_attempts=5, maximum_event_age_in_seconds=3600),
        ),
    )
    made.node.add_dependency(role)
    return made
