"""RetrainingCause and RetrainingPolicy: why a model is trained again, and how often at most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from aws_cdk import aws_cloudwatch as cloudwatch

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.machine import DefinedMachine
from cdk_ml_lens.lake.pipeline_trigger import PipelineTrigger

_MOST_COOL_DOWN = 43_200  # 30 days: as long as the handler recognises a cause (ml_lens_runtime.retrain_store)
Way = Literal["eventbridge", "cloudtrail"]


class RunsByMachine(Protocol):
    """What runs as a state machine; `TrainingPipeline` and `LakePipeline` are such."""

    @property
    def machine(self) -> DefinedMachine:
        """The state machine."""
        ...


@dataclass(frozen=True, kw_only=True)
class RetrainingCause:
    """Why a model is trained again; made by the static methods.

    Parameters
    ----------
    kind : {"schedule", "data", "drift"}
        By the clock, because a dataset arrived, or because an alarm went off.
    trigger : PipelineTrigger, optional
        Of a schedule. Default: none.
    way : {"eventbridge", "cloudtrail"}
        How the arrival of a dataset is heard of. Default: ``eventbridge``.
    alarm : IAlarm, optional
        Of drift. Default: none.

    Raises
    ------
    PropError
        When a part is missing, or is one of another kind.

    Notes
    -----
    Lens best practices MLOPS07-BP02 (automatic retraining), MLREL05-BP01; Lens figure 13.
    """

    kind: Literal["schedule", "data", "drift"]
    trigger: PipelineTrigger | None = None
    way: Way = "eventbridge"
    alarm: cloudwatch.IAlarm | None = None

    def __post_init__(self) -> None:
        faults = Faults("retraining cause")
        by_clock = self.trigger is not None and self.trigger.kind == "schedule"
        faults.unless(by_clock == (self.kind == "schedule"), "trigger", "be a schedule, for that kind", self.trigger)
        faults.unless((self.alarm is not None) == (self.kind == "drift"), "alarm", "be given for drift", self.kind)
        faults.unless(self.way in ("eventbridge", "cloudtrail"), "way", "be eventbridge or cloudtrail", self.way)
        faults.raise_any()

    @staticmethod
    def every(*, hours: int) -> RetrainingCause:
        """Train at a fixed rate, in hours, if there are enough new rows."""
        faults = Faults("retraining cause")
        faults.unless(hours >= 1, "hours", "be at least 1", hours)
        faults.raise_any()
        return RetrainingCause(kind="schedule", trigger=PipelineTrigger.every(minutes=60 * hours))

    @staticmethod
    def cron(fields: str, *, time_zone: str = "UTC") -> RetrainingCause:
        """Train by six cron fields: minutes, hours, day of month, month, day of week, year."""
        return RetrainingCause(kind="schedule", trigger=PipelineTrigger.cron(fields, time_zone=time_zone))

    @staticmethod
    def new_data(*, way: Way = "eventbridge") -> RetrainingCause:
        """Train when the manifest of a dataset arrives.

        ``eventbridge`` needs a bucket that sends its events there (every zone of a `DataLake` does). ``cloudtrail``
        needs a trail that records who writes the bucket's objects (``DataLake(audit=Audit())`` has one), and nothing
        of the bucket: for buckets of others. A trail's events take minutes.
        """
        return RetrainingCause(kind="data", way=way)

    @staticmethod
    def drift(alarm: cloudwatch.IAlarm) -> RetrainingCause:
        """Train when an alarm goes off: drift, a model's quality, or any other."""
        return RetrainingCause(kind="drift", alarm=alarm)


@dataclass(frozen=True, kw_only=True)
class RetrainingPolicy:
    """How often a model is trained again at most, and for how much.

    Parameters
    ----------
    cool_down_minutes : int
        From one start to the next, in minutes; what comes in between waits. Default: 360.
    minimum_new_rows : int
        By how many rows a dataset must exceed that of the last run, all splits together. Default: 1,000.
    look_minutes : int
        How often it is looked whether something waits or has been left undone, in minutes. Default: 15.

    Raises
    ------
    PropError
        When a number is out of range.
    """

    cool_down_minutes: int = 360
    minimum_new_rows: int = 1000
    look_minutes: int = 15

    def __post_init__(self) -> None:
        faults = Faults("retraining policy")
        faults.within("cool_down_minutes", self.cool_down_minutes, 0, _MOST_COOL_DOWN)
        faults.unless(self.minimum_new_rows >= 0, "minimum_new_rows", "be at least 0", self.minimum_new_rows)
        faults.within("look_minutes", self.look_minutes, 1, 1440)
        faults.raise_any()
