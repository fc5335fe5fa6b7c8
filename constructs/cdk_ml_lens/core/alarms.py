"""AlarmRule: an alarm as a value, made into a wired CloudWatch alarm in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.nag import explain

Comparison = Literal["above", "at_least", "below", "at_most"]
Missing = Literal["notBreaching", "breaching", "ignore", "missing"]

_OPERATORS: dict[str, cloudwatch.ComparisonOperator] = {
    "above": cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
    "at_least": cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    "below": cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
    "at_most": cloudwatch.ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD,
}
_MISSING: dict[str, cloudwatch.TreatMissingData] = {
    "notBreaching": cloudwatch.TreatMissingData.NOT_BREACHING,
    "breaching": cloudwatch.TreatMissingData.BREACHING,
    "ignore": cloudwatch.TreatMissingData.IGNORE,
    "missing": cloudwatch.TreatMissingData.MISSING,
}
_UNTOLD = (
    "Nobody was named to tell. alarm_topic= (or notify=) of the construct wires every alarm of it; an alarm may also "
    "only be watched, by a deployment's rollback or a dashboard."
)


@dataclass(frozen=True, kw_only=True)
class AlarmRule:
    """When a metric is bad.

    Parameters
    ----------
    metric : str
        CloudWatch metric name, in the namespace of the construct that makes the alarm.
    threshold : float
        Bound, in the metric's own unit.
    comparison : {"above", "at_least", "below", "at_most"}
        Which side of the bound is bad. Default: ``above``.
    statistic : str
        CloudWatch statistic (``Sum``, ``Maximum``, ``p99`` …). Default: ``Sum``.
    period_minutes : int
        Length of one data point, in minutes. Default: 5.
    periods : int
        Data points looked at. Default: 1.
    datapoints : int, optional
        Bad data points among ``periods`` that raise the alarm. Default: all of them.
    missing : {"notBreaching", "breaching", "ignore", "missing"}
        How missing data counts. Default: ``notBreaching``.
    description : str, optional
        What it means and what to do. Default: none.

    Raises
    ------
    PropError
        When a number is out of CloudWatch's range.

    Notes
    -----
    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """

    metric: str
    threshold: float
    comparison: Comparison = "above"
    statistic: str = "Sum"
    period_minutes: int = 5
    periods: int = 1
    datapoints: int | None = None
    missing: Missing = "notBreaching"
    description: str | None = None

    def __post_init__(self) -> None:
        faults = Faults(f"alarm on {self.metric!r}")
        faults.unless(self.comparison in _OPERATORS, "comparison", f"be one of {sorted(_OPERATORS)}", self.comparison)
        faults.unless(self.missing in _MISSING, "missing", f"be one of {sorted(_MISSING)}", self.missing)
        faults.within("period_minutes", self.period_minutes, 1, 1440)
        faults.unless(self.periods >= 1, "periods", "be at least 1", self.periods)
        if self.datapoints is not None:
            faults.within("datapoints", self.datapoints, 1, self.periods)
        faults.raise_any()


def add_alarm(
    scope: Construct, id: str, *, metric: cloudwatch.Metric, rule: AlarmRule, topic: sns.ITopic | None
) -> cloudwatch.Alarm:
    """Make the alarm of ``rule`` on ``metric``, wired to ``topic`` in both directions (alarm and OK).

    Parameters
    ----------
    scope : Construct
        Owner.
    id : str
        Construct id.
    metric : Metric
        The metric, with dimensions; statistic and period come from the rule.
    rule : AlarmRule
        When it is bad.
    topic : ITopic or None
        Who is told. ``None`` leaves the alarm to the caller.
    """
    alarm = cloudwatch.Alarm(
        scope,
        id,
        metric=metric.with_(statistic=rule.statistic, period=cdk.Duration.minutes(rule.period_minutes)),
        threshold=rule.threshold,
        comparison_operator=_OPERATORS[rule.comparison],
        evaluation_periods=rule.periods,
        datapoints_to_alarm=rule.periods if rule.datapoints is None else rule.datapoints,
        treat_missing_data=_MISSING[rule.missing],
        alarm_description=rule.description,
    )
    if topic is None:
        explain(alarm, {"CloudWatchAlarmAction": _UNTOLD})
    else:
        notify = actions.SnsAction(topic)
        alarm.add_alarm_action(notify)
        alarm.add_ok_action(notify)
    return alarm
