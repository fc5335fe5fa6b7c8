"""DriftMonitor: captured traffic judged against a baseline on a schedule; metrics, an alarm, events."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.alarms import AlarmRule, add_alarm
from cdk_ml_lens.core.machine import DefinedMachine
from cdk_ml_lens.monitoring import access
from cdk_ml_lens.monitoring.baseline import PREFIX, Baseline
from cdk_ml_lens.monitoring.baseline_states import SOURCE
from cdk_ml_lens.monitoring.drift_schedule import DriftSchedule, MonitoringJob, start_regularly
from cdk_ml_lens.monitoring.drift_states import DRIFTED, FAILED, definition
from cdk_ml_lens.monitoring.drift_values import CaptureSource, DriftRules
from cdk_ml_lens.monitoring.drift_window import NAMESPACE, DriftPlan
from cdk_ml_lens.monitoring.processing import StatisticsJob
from cdk_ml_lens.training import machine_access

REPORTS = "reports"
_NAMED = "A report is named after its window."
_SLACK_SECONDS = 7200  # waiting for an instance, and the short states
DRIFT_ALARM = AlarmRule(
    metric="DriftDetected",
    threshold=1,
    comparison="at_least",
    statistic="Maximum",
    # A window is one data point; between two of them, and when a window is not judged, the verdict stands.
    missing="ignore",
    description="The traffic differs from what the model was trained on: read the window's report.json.",
)
FAILED_ALARM = AlarmRule(
    metric="ExecutionsFailed",
    threshold=0,
    description="A window was not judged: the execution's error and cause say why. Start it again with start and end.",
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
    machine : DefinedMachine
    drift_alarm : Alarm
        For ``RetrainingCause.drift``.

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
        self._alarm_topic = alarm_topic
        self._baseline = baseline
        self.name = cdk.Names.unique_resource_name(self, max_length=60, separator="-")
        self.job = StatisticsJob(self, "Statistics", job=wanted, encryption_key=baseline.encryption_key)
        plan = DriftPlan(
            monitor=self.name,
            job=self.job,
            captures=captures,
            rules=DriftRules() if rules is None else rules,
            schedule=DriftSchedule() if schedule is None else schedule,
            bucket_name=baseline.bucket.bucket_name,
            reports=REPORTS,
            baselines=PREFIX,
        )
        self.machine = DefinedMachine(
            self,
            "Machine",
            encryption_key=baseline.encryption_key,
            definition=definition(plan, longest_seconds=wanted.max_minutes * 60 + _SLACK_SECONDS),
        )
        self._allow_job(captures)
        self._allow_machine(captures)
        start_regularly(self, plan.schedule, self.machine)
        self.drift_alarm = self.alarm("DriftAlarm", DRIFT_ALARM)
        failures = self.machine.metric(FAILED_ALARM.metric)
        add_alarm(self, "FailedAlarm", metric=failures, rule=FAILED_ALARM, topic=alarm_topic)

    @property
    def reports_url(self) -> str:
        """S3 prefix of the reports: ``<start of the window>/report.json`` below it."""
        return f"s3://{self._baseline.bucket.bucket_name}/{REPORTS}/{self.name}/"

    def grant_start(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to judge a window by hand."""
        return self.machine.grant_start(grantee)

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to read every report of this monitor."""
        bucket = self._baseline.bucket
        grants.use_key(grantee, bucket.encryption_key, "kms:Decrypt")
        return access.allow_objects(grantee, bucket, f"{REPORTS}/{self.name}", ["s3:GetObject"], reason=_NAMED)

    def metric(self, name: str, *, feature: str | None = None) -> cloudwatch.Metric:
        """Return one metric, in ``CdkMlLens/Drift``.

        ``DriftDetected``, ``Violations`` and ``Rows`` are of the window; ``PSI`` and ``JS`` are of a feature.
        """
        by_feature = {} if feature is None else {"Feature": feature}
        dimensions = {"Monitor": self.name, **by_feature}
        return cloudwatch.Metric(namespace=NAMESPACE, metric_name=name, dimensions_map=dimensions, statistic="Maximum")

    def alarm(self, id: str, rule: AlarmRule) -> cloudwatch.Alarm:
        """Make an alarm on a metric of the window."""
        return add_alarm(self, id, metric=self.metric(rule.metric), rule=rule, topic=self._alarm_topic)

    def on_drift(self, id: str, target: events.IRuleTarget) -> events.Rule:
        """Tell a target of every window that has drifted: monitor, endpoint, start, end, report, rows."""
        return self._on(id, target, DRIFTED)

    def on_failed(self, id: str, target: events.IRuleTarget) -> events.Rule:
        """Tell a target of every window that could not be judged: monitor, execution, step, error, cause."""
        return self._on(id, target, FAILED)

    def _on(self, id: str, target: events.IRuleTarget, detail_type: str) -> events.Rule:
        pattern = events.EventPattern(source=[SOURCE], detail_type=[detail_type], detail={"monitor": [self.name]})
        return events.Rule(self, id, event_pattern=pattern, targets=[target])

    def _allow_job(self, captures: CaptureSource) -> None:
        role, bucket = self.job.role, self._baseline.bucket
        access.allow_objects(
            role, captures.bucket, captures.folder, ["s3:GetObject"], reason="SageMaker AI names the captures."
        )
        access.use_bucket_key(role, captures.bucket, "kms:Decrypt")
        self._own_folders(role, ["s3:GetObject", *access.WRITE])
        for listed in (captures.bucket, bucket):
            access.allow_list(role, listed)
        grants.use_key(role, self._baseline.encryption_key, *access.VOLUMES)

    def _allow_machine(self, captures: CaptureSource) -> None:
        role = self.machine.role
        access.allow_list(role, captures.bucket)
        self._own_folders(role, ["s3:GetObject", "s3:PutObject"])
        access.put_metrics(role, NAMESPACE)
        kind, names = machine_access.PROCESSING, f"{self.job.prefix}-*"
        machine_access.allow_jobs(self, role, kind=kind, names=names, passed=self.job.role)
        machine_access.allow_events(self, role, SOURCE)
        self.machine.machine.node.add_dependency(self.job.role)

    def _own_folders(self, role: iam.Role, actions: list[str]) -> None:
        bucket = self._baseline.bucket
        access.allow_objects(role, bucket, f"{REPORTS}/{self.name}", actions, reason=_NAMED)
        access.use_bucket_key(role, bucket, "kms:GenerateDataKey", "kms:Decrypt")
        if role is self.job.role:
            grants.allow(role, ["s3:GetObject"], [bucket.arn_for_objects(f"{PREFIX}/current/baseline.json")])
