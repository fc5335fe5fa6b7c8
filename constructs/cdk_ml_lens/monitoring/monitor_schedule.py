"""MonitorSchedule: when SageMaker AI's own monitor runs, and which hours it judges."""

from __future__ import annotations

from dataclasses import dataclass

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.monitoring.drift_schedule import MonitoringJob
from cdk_ml_lens.monitoring.monitor_kinds import AnyKind, ModelBias, ModelQuality

_LONGEST_DELAY = 90 * 24
_HOUR = 60


@dataclass(frozen=True, kw_only=True)
class MonitorSchedule:
    """Every so many hours, over as many.

    Parameters
    ----------
    every_hours : int
        From one run to the next, in hours: 1 to 24. Default: 24.
    hour : int
        First hour of the day, UTC: 0 to 23. Default: 0.
    label_delay_hours : int
        How long labels are waited for, in hours; of model quality and bias only. Default: 24.

    Raises
    ------
    PropError
        When a number is out of range.

    Notes
    -----
    Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-schedule-expression.html,
    https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-schedule.html
    """

    every_hours: int = 24
    hour: int = 0
    label_delay_hours: int = 24

    def __post_init__(self) -> None:
        faults = Faults("monitor schedule")
        faults.within("every_hours", self.every_hours, 1, 24)
        faults.within("hour", self.hour, 0, 23)
        faults.within("label_delay_hours", self.label_delay_hours, 0, _LONGEST_DELAY)
        faults.raise_any()

    @property
    def expression(self) -> str:
        """One of the three forms of cron that Model Monitor takes."""
        if self.every_hours == 1:
            return "cron(0 * ? * * *)"
        step = "" if self.every_hours == 24 else f"/{self.every_hours}"
        return f"cron(0 {self.hour}{step} ? * * *)"

    def offsets(self) -> dict[str, str]:
        """Return start and end of the window before a run, as ISO 8601 durations."""
        delay = self.label_delay_hours
        return {"StartTimeOffset": f"-PT{delay + self.every_hours}H", "EndTimeOffset": f"-PT{delay}H"}

    def check(self, job: MonitoringJob, kind: AnyKind) -> None:
        """Refuse a job that may run longer than AWS lets it.

        Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_MonitoringStoppingCondition.html

        Raises
        ------
        PropError
            When ``max_minutes`` is longer than from run to run, or half of it for hourly model quality or bias.
        """
        most = self.every_hours * _HOUR
        if self.every_hours == 1 and isinstance(kind, ModelQuality | ModelBias):
            most = _HOUR // 2
        faults = Faults(f"{kind.name} monitor")
        hint = "see API_MonitoringStoppingCondition"
        faults.unless(job.max_minutes <= most, "max_minutes", f"be at most {most}", job.max_minutes, hint)
        faults.raise_any()
