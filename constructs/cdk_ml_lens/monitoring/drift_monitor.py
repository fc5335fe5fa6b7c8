"""DriftMonitor: captured traffic judged against a baseline on a schedule; metrics, an alarm, events."""

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
from cdk_ml_lens.monitoring.drift_values import CaptureSource, DriftRules
from cdk_ml_lens.monitoring.drift_window import WindowPlan
from cdk_ml_lens.monitoring.processing import StatisticsJob
from cdk_ml_lens.monitoring.traffic_monitor import TrafficMonitor

NAMESPACE = "CdkMlLens/Drift"  # model_src.drift.report
DRIFTED = "Drift Detected"
DRIFT_ALARM = AlarmRule(
    metric="DriftDetected",
    threshold=1,
    comparison="at_least",
    statistic="Maximum",
    # A window is one data point; between two of them, and when a window is not judged, the verdict stands.
    missing="ignore",
    description="The traffic differs from what the model was trained on: read the window's report.json.",
)


class DriftMonitor(Construct):
    """A schedule, a state machine and a processing job that judge each window of an endpoint's traffic.

    A window without change is called drifted with a probability of at most ``rules.false_alarm_rate``. Start the
    machine by hand with ``{"start": "2026-11-20T00:00:00Z", "end": "2026-11-21T00:00:00Z"}`` to judge a window again.

    Parameters
    ----------
    scope, id
        As for every construct.
    captures : CaptureSource
        The traffic: ``CaptureSource.of(deployment)``.
    baseline : Baseline
        What it is judged against: its current one. Its bucket keeps the reports.
    rules : DriftRules, optional
        When a window has drifted. Default: one false alarm in a hundred windows, 100 rows at least.
    schedule : DriftSchedule, optional
        How often, over how much. Default: every day, over a day.
    job : MonitoringJob, optional
        On what it is computed. Default: one ``ml.t3.medium`` without a network.
    alarm_topic : ITopic, optional
        Who hears of drift and of failures. Default: nobody.

    Attributes
    ----------
    name : str
        Value of the metrics' dimension ``Monitor``.
    drift_alarm : Alarm
        For ``RetrainingCause.drift``.
    rules : DriftRules
        When a window has drifted.

    Notes
    -----
    It needs no service that is closed to new customers; `ModelMonitor` is SageMaker AI's own. Sources:
    https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html,
    https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html. Lens best practices MLOPS07-BP01,
    MLPERF06-BP02, MLPERF06-BP03; Lens figure 13.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        captures: CaptureSource,
        baseline: Baseline,
        rules: DriftRules | None = None,
        schedule: DriftSchedule | None = None,
        job: MonitoringJob | None = None,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        super().__init__(scope, id)
        wanted = MonitoringJob() if job is None else job
        self.rules = DriftRules() if rules is None else rules
        self.name = cdk.Names.unique_resource_name(self, max_length=60, separator="-")
        plan = WindowPlan(
            monitor=self.name,
            job=StatisticsJob(self, "Statistics", job=wanted, encryption_key=baseline.encryption_key),
            command=("report", *self.rules.arguments()),
            captures=captures,
            schedule=DriftSchedule() if schedule is None else schedule,
            bucket_name=baseline.bucket.bucket_name,
            reports=f"{REPORTS}/{self.name}",
            baselines=PREFIX,
            namespace=NAMESPACE,
            flag=DRIFT_ALARM.metric,
            told=DRIFTED,
            verdict="drifted",
        )
        self._traffic = TrafficMonitor(
            self, "Traffic", plan=plan, baseline=baseline, job=wanted, alarm_topic=alarm_topic
        )
        self.drift_alarm = self.alarm("DriftAlarm", DRIFT_ALARM)

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

    def metric(self, name: str, *, feature: str | None = None) -> cloudwatch.Metric:
        """Return one metric, in ``CdkMlLens/Drift``.

        ``DriftDetected``, ``Violations`` and ``Rows`` are of the window; ``PSI`` and ``JS`` are of a feature.
        """
        return self._traffic.metric(name, feature=feature)

    def alarm(self, id: str, rule: AlarmRule) -> cloudwatch.Alarm:
        """Make an alarm on a metric of the window."""
        return self._traffic.alarm(self, id, rule)

    def on_drift(self, id: str, target: events.IRuleTarget) -> events.Rule:
        """Tell a target of every window that has drifted: monitor, endpoint, start, end, report, rows."""
        return self._traffic.on(self, id, target, DRIFTED)

    def on_failed(self, id: str, target: events.IRuleTarget) -> events.Rule:
        """Tell a target of every window that could not be judged: monitor, execution, step, error, cause."""
        return self._traffic.on(self, id, target)
