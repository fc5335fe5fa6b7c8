"""QualityMonitor: answers judged by labels that arrive later, and compared between groups."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_ml_lens.core.alarms import AlarmRule
from cdk_ml_lens.core.machine import DefinedMachine
from cdk_ml_lens.monitoring.baseline import PREFIX, REPORTS, Baseline
from cdk_ml_lens.monitoring.drift_schedule import DriftSchedule, MonitoringJob
from cdk_ml_lens.monitoring.drift_values import CaptureSource
from cdk_ml_lens.monitoring.drift_window import WindowPlan
from cdk_ml_lens.monitoring.processing import StatisticsJob
from cdk_ml_lens.monitoring.quality_values import GroundTruth, QualityRules
from cdk_ml_lens.monitoring.traffic_monitor import TrafficMonitor

NAMESPACE = "CdkMlLens/Quality"  # model_src.drift.quality_run
VIOLATED = "Quality Violated"
QUALITY_ALARM = AlarmRule(
    metric="QualityViolated",
    threshold=1,
    comparison="at_least",
    statistic="Maximum",
    missing="ignore",  # a window is one data point, and its verdict stands until the next one
    description="Answers are worse than the bounds allow, or differ between groups: read the window's report.json.",
)


class QualityMonitor(Construct):
    """A schedule, a state machine and a processing job that judge the answers of a window by its labels.

    Labels are joined by inference id. Choose ``schedule.delay_minutes`` so long that most labels of a window have
    arrived; later ones count when the window is judged again by hand, with ``start`` and ``end``.

    Parameters
    ----------
    scope, id
        As for every construct.
    captures : CaptureSource
        The answers.
    labels : GroundTruth
        Where labels arrive.
    rules : QualityRules
        Bounds and groups.
    baseline : Baseline
        Names the features. Its bucket keeps the reports.
    schedule : DriftSchedule, optional
        Default: every day, over a day that ended a week ago.
    job : MonitoringJob, optional
        On what it is computed. Default: one ``ml.t3.medium`` without a network.
    alarm_topic : ITopic, optional
        Who hears of bad windows and of failures. Default: nobody.

    Attributes
    ----------
    name : str
        Value of the metrics' dimension ``Monitor``.
    quality_alarm : Alarm
        For ``RetrainingCause.drift``.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-merge.html. Lens best practices
    MLOPS07-BP01, MLPERF06-BP02, MLOPS07-BP02.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        captures: CaptureSource,
        labels: GroundTruth,
        rules: QualityRules,
        baseline: Baseline,
        schedule: DriftSchedule | None = None,
        job: MonitoringJob | None = None,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        super().__init__(scope, id)
        wanted = MonitoringJob() if job is None else job
        self.name = cdk.Names.unique_resource_name(self, max_length=60, separator="-")
        plan = WindowPlan(
            monitor=self.name,
            job=StatisticsJob(self, "Statistics", job=wanted, encryption_key=baseline.encryption_key),
            command=("quality", *rules.arguments()),
            captures=captures,
            labels=labels,
            schedule=DriftSchedule(delay_minutes=7 * 1440) if schedule is None else schedule,
            bucket_name=baseline.bucket.bucket_name,
            reports=f"{REPORTS}/{self.name}",
            baselines=PREFIX,
            namespace=NAMESPACE,
            flag=QUALITY_ALARM.metric,
            told=VIOLATED,
            verdict="violated",
        )
        self._traffic = TrafficMonitor(
            self, "Traffic", plan=plan, baseline=baseline, job=wanted, alarm_topic=alarm_topic
        )
        self.quality_alarm = self.alarm("QualityAlarm", QUALITY_ALARM)

    @property
    def machine(self) -> DefinedMachine:
        """The state machine that judges one window."""
        return self._traffic.machine

    @property
    def reports_url(self) -> str:
        """S3 prefix of the reports: ``<start of the window>/report.json`` below it."""
        return self._traffic.reports_url

    def grant_start(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to judge a window by hand."""
        return self.machine.grant_start(grantee)

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to read every report of this monitor."""
        return self._traffic.grant_read(grantee)

    def metric(self, name: str) -> cloudwatch.Metric:
        """Return one metric, in ``CdkMlLens/Quality``: ``QualityViolated``, ``LabelledRows``, ``Recall`` and so on."""
        return self._traffic.metric(name)

    def alarm(self, id: str, rule: AlarmRule) -> cloudwatch.Alarm:
        """Make an alarm on a metric of the window."""
        return self._traffic.alarm(self, id, rule)

    def on_violated(self, id: str, target: events.IRuleTarget) -> events.Rule:
        """Tell a target of every bad window: monitor, endpoint, start, end, report, rows."""
        return self._traffic.on(self, id, target, VIOLATED)

    def on_failed(self, id: str, target: events.IRuleTarget) -> events.Rule:
        """Tell a target of every window that could not be judged: monitor, execution, step, error, cause."""
        return self._traffic.on(self, id, target)
