"""ModelMonitor: SageMaker AI's own monitor of an endpoint, for accounts that may still use it."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.bucket import SecureBucket
from cdk_ml_lens.core.event_rules import tell
from cdk_ml_lens.core.keys import key_or_new
from cdk_ml_lens.monitoring import access, monitor_role
from cdk_ml_lens.monitoring.drift_schedule import MonitoringJob
from cdk_ml_lens.monitoring.drift_values import CaptureSource
from cdk_ml_lens.monitoring.monitor_definition import MonitorPlan
from cdk_ml_lens.monitoring.monitor_kinds import AnyKind
from cdk_ml_lens.monitoring.monitor_schedule import MonitorSchedule

CLOSED = "cdk-ml-lens:modelMonitorClosed"
NOTICE = (
    "SageMaker Model Monitor and Clarify are closed to new customers since mid-2026: in an account that did not use "
    "them before, this monitor cannot be made. DriftMonitor and QualityMonitor need neither. Acknowledge this by "
    f"cdk.Annotations.of(monitor).acknowledge_warning('{CLOSED}')."
)
# The analyzer is a Spark program: 4 GB are too few for it.
DEFAULT_JOB = MonitoringJob(instance_type="ml.m5.xlarge", volume_gb=30, max_minutes=30)
_REPORTS = "model-monitor"


class ModelMonitor(Construct):
    """A job definition and a schedule of one kind. Closed to new customers since mid-2026; see Notes.

    Parameters
    ----------
    scope, id
        As for every construct.
    kind : DataQuality, ModelQuality, ModelBias or ModelExplainability
        What is looked at.
    captures : CaptureSource
        The traffic. The endpoint must exist when the stack is deployed.
    schedule : MonitorSchedule, optional
        When, over which hours. Default: every day at midnight, UTC, over a day.
    job : MonitoringJob, optional
        On what. Default: one ``ml.m5.xlarge``, 30 GB, 30 minutes, without a network.
    bucket : IBucket, optional
        Gets the reports. Default: a new `SecureBucket`.
    encryption_key : IKey, optional
        Customer managed key of volumes and reports. Default: a new one.

    Raises
    ------
    PropError
        When the job may run longer than AWS lets it.

    Attributes
    ----------
    definition : CfnResource
    schedule : CfnMonitoringSchedule
        Deleted before the definition and the endpoint.
    schedule_name : str
    role : Role
        Role of the jobs.
    bucket : IBucket

    Notes
    -----
    **Availability**: Model Monitor and Clarify are no longer open to new customers; existing ones keep them, without
    new features. Every use warns at synth, until ``cdk-ml-lens:modelMonitorClosed`` is acknowledged. Use `DriftMonitor`
    and `QualityMonitor` otherwise. Sources:
    https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-availability-change.html,
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateMonitoringSchedule.html. Lens best practices
    MLPERF06-BP02, MLPERF06-BP03, MLPERF06-BP04.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        kind: AnyKind,
        captures: CaptureSource,
        schedule: MonitorSchedule | None = None,
        job: MonitoringJob | None = None,
        bucket: s3.IBucket | None = None,
        encryption_key: kms.IKey | None = None,
    ) -> None:
        when = MonitorSchedule() if schedule is None else schedule
        wanted = DEFAULT_JOB if job is None else job
        when.check(wanted, kind)
        super().__init__(scope, id)
        cdk.Annotations.of(self).add_warning_v2(CLOSED, NOTICE)
        key = key_or_new(self, encryption_key, description="Encrypts reports of SageMaker Model Monitor")
        self.bucket = SecureBucket(self, "Reports", encryption_key=key).bucket if bucket is None else bucket
        self.schedule_name = cdk.Names.unique_resource_name(self, max_length=63, separator="-").lower()
        self._prefix = f"{_REPORTS}/{self.schedule_name}"
        self.role = monitor_role.monitor_role(self, kind, in_network=wanted.network is not None)
        monitor_role.read_inputs(self.role, kind, captures)
        monitor_role.write_reports(self.role, self.bucket, self._prefix, key)
        plan = MonitorPlan(
            kind=kind,
            captures=captures,
            schedule=when,
            job=wanted,
            reports_url=self.reports_url.rstrip("/"),
            role_arn=self.role.role_arn,
            encryption_key=key,
        )
        self.definition, name = plan.make(self)
        self.definition.node.add_dependency(self.role)
        self.schedule = self._schedule(kind, when, name)

    @property
    def reports_url(self) -> str:
        """S3 prefix of the reports."""
        return f"s3://{self.bucket.bucket_name}/{self._prefix}/"

    @property
    def schedule_arn(self) -> str:
        """ARN of the schedule."""
        return self.schedule.attr_monitoring_schedule_arn

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to read every report."""
        grants.use_key(grantee, self.bucket.encryption_key, "kms:Decrypt")
        reason = "Reports are named after their time."
        return access.allow_objects(grantee, self.bucket, self._prefix, ["s3:GetObject"], reason=reason)

    def on_violated(self, id: str, target: events.IRuleTarget) -> events.Rule:
        """Tell a target of every run that found violations."""
        return self._on(id, target, {"ExitMessage": events.Match.prefix("CompletedWithViolations")})

    def on_failed(self, id: str, target: events.IRuleTarget) -> events.Rule:
        """Tell a target of every run that failed or was stopped."""
        return self._on(id, target, {"ProcessingJobStatus": ["Failed", "Stopped"]})

    def _on(self, id: str, target: events.IRuleTarget, detail: dict[str, object]) -> events.Rule:
        pattern = events.EventPattern(
            source=["aws.sagemaker"],
            detail_type=["SageMaker Processing Job State Change"],
            detail={"MonitoringScheduleArn": [self.schedule_arn], **detail},
        )
        return tell(self, id, pattern=pattern, target=target)

    def _schedule(self, kind: AnyKind, when: MonitorSchedule, name: str) -> sagemaker.CfnMonitoringSchedule:
        """Make the schedule after the definition, so that it is deleted before it."""
        cfn = sagemaker.CfnMonitoringSchedule
        made = cfn(
            self,
            "Schedule",
            monitoring_schedule_name=self.schedule_name,
            monitoring_schedule_config=cfn.MonitoringScheduleConfigProperty(
                monitoring_job_definition_name=name,
                monitoring_type=kind.name,
                schedule_config=cfn.ScheduleConfigProperty(schedule_expression=when.expression),
            ),
        )
        made.add_dependency(self.definition)
        return made
