"""Autoscaling: how many instances, copies or provisioned slots a variant keeps, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cdk_ml_lens.core.errors import Faults

Metric = Literal["invocations_per_instance", "concurrent_requests"]


@dataclass(frozen=True, kw_only=True)
class ScheduledCapacity:
    """Other bounds at certain times, for example fewer instances at night.

    Parameters
    ----------
    cron : str
        Cron expression of Application Auto Scaling, without ``cron()``: ``0 20 * * ? *``.
    min_capacity, max_capacity : int
        Bounds from then on.
    timezone : str
        IANA time zone of ``cron``. Default: ``UTC``.

    Notes
    -----
    Source: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html.
    Lens best practice MLSUS03-BP01.
    """

    cron: str
    min_capacity: int
    max_capacity: int
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        faults = Faults(f"schedule {self.cron!r}")
        faults.unless(
            len(self.cron.split()) == 6, "cron", "have six fields", self.cron, "minute hour day month weekday year"
        )
        faults.within("min_capacity", self.min_capacity, 0, self.max_capacity)
        faults.raise_any()


@dataclass(frozen=True, kw_only=True)
class Autoscaling:
    """Target tracking of one variant; the metric follows from the variant's shape.

    Parameters
    ----------
    max_capacity : int
        Most instances (or inference component copies, or provisioned concurrency).
    min_capacity : int
        Fewest of them. Default: 1. 0 only for asynchronous endpoints and inference components.
    target : float, optional
        What one instance should carry: invocations per minute, or concurrent requests; for provisioned concurrency a
        utilisation between 0 and 1; for asynchronous endpoints requests waiting per instance. Default: by the shape.
    metric : {"invocations_per_instance", "concurrent_requests"}
        For instances and copies only. Default: ``invocations_per_instance``.
    availability : {"standard", "high"}
        ``high`` asks for two instances at least, which SageMaker AI puts in different zones. Default: ``standard``.
    schedule : tuple of ScheduledCapacity
        Other bounds at certain times. Default: none.

    Raises
    ------
    PropError
        When the bounds do not fit.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html. Lens best practice MLREL05-BP01.
    """

    max_capacity: int
    min_capacity: int = 1
    target: float | None = None
    metric: Metric = "invocations_per_instance"
    availability: Literal["standard", "high"] = "standard"
    schedule: tuple[ScheduledCapacity, ...] = ()

    def __post_init__(self) -> None:
        faults = Faults("autoscaling")
        faults.unless(self.min_capacity >= 0, "min_capacity", "be at least 0", self.min_capacity)
        faults.unless(
            self.max_capacity >= max(1, self.min_capacity),
            "max_capacity",
            "be at least min_capacity",
            self.max_capacity,
        )
        faults.unless(
            self.availability == "standard" or self.min_capacity >= 2,
            "min_capacity",
            "be at least 2 when availability is 'high'",
            self.min_capacity,
            "one instance lives in one zone",
        )
        faults.unless(self.target is None or self.target > 0, "target", "be over 0", self.target)
        faults.raise_any()


def load_test_sizing(*, max_requests_per_second: float, safety_factor: float = 0.5) -> float:
    """Return the target for ``invocations_per_instance`` from a load test of one instance.

    Parameters
    ----------
    max_requests_per_second : float
        Highest rate at which one instance still met its latency, in requests per second.
    safety_factor : float
        Share of it to plan with, over 0 and at most 1. Default: 0.5.

    Raises
    ------
    PropError
        When a number is out of range.

    Notes
    -----
    ``target = max_requests_per_second * safety_factor * 60``. Source:
    https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-loadtest.html
    """
    faults = Faults("load test sizing")
    faults.unless(max_requests_per_second > 0, "max_requests_per_second", "be over 0", max_requests_per_second)
    faults.unless(0 < safety_factor <= 1, "safety_factor", "be over 0 and at most 1", safety_factor)
    faults.raise_any()
    return max_requests_per_second * safety_factor * 60
