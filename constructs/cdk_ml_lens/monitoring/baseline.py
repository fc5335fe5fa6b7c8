"""Baseline: what the training data of a model version looked like, computed and versioned with the model."""

from __future__ import annotations

from typing import Protocol

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.alarms import AlarmRule, add_alarm
from cdk_ml_lens.core.bucket import SecureBucket
from cdk_ml_lens.core.keys import key_or_new
from cdk_ml_lens.core.machine import DefinedMachine
from cdk_ml_lens.monitoring import access
from cdk_ml_lens.monitoring.baseline_states import FILE, SOURCE, BaselinePlan, definition
from cdk_ml_lens.monitoring.drift_schedule import MonitoringJob
from cdk_ml_lens.monitoring.processing import StatisticsJob
from cdk_ml_lens.training import machine_access
from cdk_ml_lens.training.dataset_source import DatasetSource
from cdk_ml_lens.training.refs import ModelGroup

PREFIX = "baselines"
REPORTS = "reports"
_NAMED = "A baseline is named after its version."
_SLACK_SECONDS = 7200  # waiting for an instance, and the short states
FAILED_ALARM = AlarmRule(
    metric="ExecutionsFailed",
    threshold=0,
    description="No baseline was made: monitors go on with the one before. The execution's error and cause say why.",
)


class Deployments(Protocol):
    """What brings model versions to an endpoint; `ApprovedDeployment` is such."""

    def on_succeeded(self, id: str, target: events.IRuleTarget) -> events.Rule:
        """Send the event of each deployment that serves and is verified to a target."""
        ...


class Baseline(Construct):
    """A state machine that describes a data set, and the bucket that keeps each description.

    Start it with ``{"model_package_arn": "…"}`` for a registered version, whose answers on the validation split are
    described too, or with ``{"dataset": "s3://…/dataset.json"}``. It writes ``baselines/<version>/baseline.json`` and
    makes that the current one. It fails with ``ReadModelFailed``, ``ReadDatasetFailed``, ``DescribeFailed`` or
    ``PublishFailed``.

    Parameters
    ----------
    scope, id
        As for every construct.
    datasets : DatasetSource
        Where data sets lie.
    registry : ModelGroup, optional
        A `ModelRegistry`, for baselines of registered versions. Default: none, baselines of data sets only.
    bucket : IBucket, optional
        Keeps baselines and the reports of monitors; its default encryption is used. Default: a new `SecureBucket`.
    job : MonitoringJob, optional
        On what it is computed. Default: one ``ml.t3.medium`` without a network.
    encryption_key : IKey, optional
        Customer managed key of results, volumes and logs. Default: a new one.
    alarm_topic : ITopic, optional
        Who hears of failures. Default: nobody.

    Attributes
    ----------
    machine : DefinedMachine
    bucket : IBucket
    encryption_key : IKey
    job : StatisticsJob

    Notes
    -----
    Source: https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html. Lens best practices
    MLOPS07-BP02, MLREL05-BP01, MLPERF06-BP03.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        datasets: DatasetSource,
        registry: ModelGroup | None = None,
        bucket: s3.IBucket | None = None,
        job: MonitoringJob | None = None,
        encryption_key: kms.IKey | None = None,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        super().__init__(scope, id)
        wanted = MonitoringJob() if job is None else job
        self._alarm_topic = alarm_topic
        self.encryption_key = key_or_new(self, encryption_key, description="Encrypts baselines and drift reports")
        self.bucket = self._own_bucket() if bucket is None else bucket
        self.job = StatisticsJob(self, "Statistics", job=wanted, encryption_key=self.encryption_key)
        plan = BaselinePlan(job=self.job, bucket_name=self.bucket.bucket_name, prefix=PREFIX)
        self.machine = DefinedMachine(
            self,
            "Machine",
            encryption_key=self.encryption_key,
            definition=definition(plan, longest_seconds=wanted.max_minutes * 60 + _SLACK_SECONDS),
        )
        self._allow_job(datasets, registry)
        self._allow_machine(datasets, registry)
        self.alarm("FailedAlarm", FAILED_ALARM)

    @property
    def current_url(self) -> str:
        """S3 URI of the current baseline."""
        return f"s3://{self.bucket.bucket_name}/{PREFIX}/current/{FILE}"

    def follow(self, id: str, deployments: Deployments) -> events.Rule:
        """Make a new baseline with each version that is deployed, and make it the current one."""
        target = targets.SfnStateMachine(
            sfn.StateMachine.from_state_machine_arn(self, f"{id}Machine", self.machine.arn),
            input=events.RuleTargetInput.from_object(
                {"model_package_arn": events.EventField.from_path("$.detail.model_package_arn")}
            ),
            role=access.start_role(self, f"{id}Role", "events.amazonaws.com", self.machine),
        )
        return deployments.on_succeeded(id, target)

    def grant_start(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to make a baseline."""
        return self.machine.grant_start(grantee)

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to read every baseline."""
        grants.use_key(grantee, self.bucket.encryption_key, "kms:Decrypt")
        return access.allow_objects(grantee, self.bucket, PREFIX, ["s3:GetObject"], reason=_NAMED)

    def metric(self, name: str) -> cloudwatch.Metric:
        """Return one metric of the state machine, in ``AWS/States``."""
        return self.machine.metric(name)

    def alarm(self, id: str, rule: AlarmRule) -> cloudwatch.Alarm:
        """Make an alarm on a metric of the state machine."""
        return add_alarm(self, id, metric=self.metric(rule.metric), rule=rule, topic=self._alarm_topic)

    def _own_bucket(self) -> s3.IBucket:
        return SecureBucket(self, "Reports", encryption_key=self.encryption_key).bucket

    def _allow_job(self, datasets: DatasetSource, registry: ModelGroup | None) -> None:
        role = self.job.role
        datasets.grant_read(role)
        if registry is not None:
            self.job.access.reach(registry, reads=("training",), writes=())
        access.allow_objects(role, self.bucket, PREFIX, access.WRITE, reason=_NAMED)
        access.use_bucket_key(role, self.bucket, "kms:GenerateDataKey", "kms:Decrypt")
        grants.use_key(role, self.encryption_key, *access.VOLUMES)

    def _allow_machine(self, datasets: DatasetSource, registry: ModelGroup | None) -> None:
        role = self.machine.role
        datasets.grant_read(role)
        if registry is not None:
            machine_access.allow_versions(self, role, registry, ["DescribeModelPackage"])
            access.allow_objects(role, registry.bucket, "manifests", ["s3:GetObject"], reason=_NAMED)
            grants.use_key(role, registry.encryption_key, "kms:Decrypt")
        actions = ("s3:GetObject", "s3:PutObject")  # CopyObject reads and writes
        access.allow_objects(role, self.bucket, PREFIX, actions, reason=_NAMED)
        access.use_bucket_key(role, self.bucket, "kms:GenerateDataKey", "kms:Decrypt")
        kind, names = machine_access.PROCESSING, f"{self.job.prefix}-*"
        machine_access.allow_jobs(self, role, kind=kind, names=names, passed=self.job.role)
        machine_access.allow_events(self, role, SOURCE)
        self.machine.machine.node.add_dependency(self.job.role)
