"""TrafficMonitor: what monitors of captured traffic share; schedule, machine, job, metrics, alarms, events."""

from __future__ import annotations

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.alarms import AlarmRule, add_alarm
from cdk_ml_lens.core.event_rules import tell
from cdk_ml_lens.core.machine import DefinedMachine
from cdk_ml_lens.monitoring import access
from cdk_ml_lens.monitoring.baseline import PREFIX, Baseline
from cdk_ml_lens.monitoring.baseline_states import SOURCE
from cdk_ml_lens.monitoring.drift_schedule import MonitoringJob, start_regularly
from cdk_ml_lens.monitoring.drift_states import FAILED, definition
from cdk_ml_lens.monitoring.drift_window import WindowPlan
from cdk_ml_lens.training import machine_access

_NAMED = "A report is named after its window."
_SLACK_SECONDS = 7200  # waiting for an instance, and the short states
FAILED_ALARM = AlarmRule(
    metric="ExecutionsFailed",
    threshold=0,
    description="A window was not judged: the execution's error and cause say why. Start it again with start and end.",
)


class TrafficMonitor(Construct):
    """The machine of a plan, on a schedule; made by `DriftMonitor` and `QualityMonitor`, which plan.

    Parameters
    ----------
    scope, id
        As for every construct.
    plan : WindowPlan
        What is judged.
    baseline : Baseline
        Whose bucket and key are used.
    job : MonitoringJob
        On what it is computed.
    alarm_topic : ITopic or None
        Who hears of failures and of bad windows.

    Attributes
    ----------
    machine : DefinedMachine
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        plan: WindowPlan,
        baseline: Baseline,
        job: MonitoringJob,
        alarm_topic: sns.ITopic | None,
    ) -> None:
        super().__init__(scope, id)
        self._plan = plan
        self._baseline = baseline
        self._topic = alarm_topic
        self.machine = DefinedMachine(
            scope,
            "Machine",
            encryption_key=baseline.encryption_key,
            definition=definition(plan, longest_seconds=job.max_minutes * 60 + _SLACK_SECONDS),
        )
        self._allow_job()
        self._allow_machine()
        start_regularly(scope, plan.schedule, self.machine)
        failures = self.machine.metric(FAILED_ALARM.metric)
        add_alarm(scope, "FailedAlarm", metric=failures, rule=FAILED_ALARM, topic=alarm_topic)

    @property
    def reports_url(self) -> str:
        """S3 prefix of the reports."""
        return f"s3://{self._plan.bucket_name}/{self._plan.reports}/"

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to read every report."""
        bucket = self._baseline.bucket
        grants.use_key(grantee, bucket.encryption_key, "kms:Decrypt")
        return access.allow_objects(grantee, bucket, self._plan.reports, ["s3:GetObject"], reason=_NAMED)

    def metric(self, name: str, *, feature: str | None = None) -> cloudwatch.Metric:
        """Return one metric of the window, or of a feature."""
        by_feature = {} if feature is None else {"Feature": feature}
        dimensions = {"Monitor": self._plan.monitor, **by_feature}
        return cloudwatch.Metric(
            namespace=self._plan.namespace, metric_name=name, dimensions_map=dimensions, statistic="Maximum"
        )

    def alarm(self, scope: Construct, id: str, rule: AlarmRule) -> cloudwatch.Alarm:
        """Make an alarm on a metric of the window."""
        return add_alarm(scope, id, metric=self.metric(rule.metric), rule=rule, topic=self._topic)

    def on(self, scope: Construct, id: str, target: events.IRuleTarget, detail_type: str = FAILED) -> events.Rule:
        """Tell a target of one kind of event of this monitor."""
        detail = {"monitor": [self._plan.monitor]}
        pattern = events.EventPattern(source=[SOURCE], detail_type=[detail_type], detail=detail)
        return tell(scope, id, pattern=pattern, target=target)

    def _allow_job(self) -> None:
        role, bucket = self._plan.job.role, self._baseline.bucket
        for one, folder in self._sources():
            access.allow_objects(role, one, folder, ["s3:GetObject"], reason="Files are named after their time.")
            access.use_bucket_key(role, one, "kms:Decrypt")
            access.allow_list(role, one)
        access.allow_list(role, bucket)
        self._own_folder(role, ["s3:GetObject", *access.WRITE])
        grants.allow(role, ["s3:GetObject"], [bucket.arn_for_objects(f"{PREFIX}/current/baseline.json")])
        grants.use_key(role, self._baseline.encryption_key, *access.VOLUMES)

    def _allow_machine(self) -> None:
        role = self.machine.role
        for one, _ in self._sources():
            access.allow_list(role, one)
        self._own_folder(role, ["s3:GetObject", "s3:PutObject"])
        access.put_metrics(role, self._plan.namespace)
        kind, names = machine_access.PROCESSING, f"{self._plan.job.prefix}-*"
        machine_access.allow_jobs(self, role, kind=kind, names=names, passed=self._plan.job.role)
        machine_access.allow_events(self, role, SOURCE)
        self.machine.machine.node.add_dependency(self._plan.job.role)

    def _sources(self) -> list[tuple[s3.IBucket, str]]:
        labels, captures = self._plan.labels, self._plan.captures
        truth = [] if labels is None else [(labels.bucket, labels.folder)]
        return [(captures.bucket, captures.folder), *truth]

    def _own_folder(self, role: iam.Role, actions: list[str]) -> None:
        bucket = self._baseline.bucket
        access.allow_objects(role, bucket, self._plan.reports, actions, reason=_NAMED)
        access.use_bucket_key(role, bucket, "kms:GenerateDataKey", "kms:Decrypt")
