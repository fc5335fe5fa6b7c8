"""EtlJob: one step of the lake as an AWS Glue job, encrypted, observed, limited, with a narrow role."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.alarms import AlarmRule, add_alarm
from cdk_ml_lens.core.assets import bundled
from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.event_rules import tell
from cdk_ml_lens.core.nag import explain
from cdk_ml_lens.lake.etl_access import allow_events, allow_observation, job_role
from cdk_ml_lens.lake.etl_arguments import job_arguments
from cdk_ml_lens.lake.etl_engine import Engine, JobLimits
from cdk_ml_lens.lake.etl_events import failed_runs, refused_batches
from cdk_ml_lens.lake.etl_step import EtlStep

_IGNORED_FILES = ["**/__pycache__", "**/*.pyc", "**/.*_cache"]
FAILURE_ALARM = AlarmRule(
    metric="TriggeredRules", threshold=0, description="A run of the ETL job failed: look at its log and _failed.json."
)


class EtlJob(Construct):
    """A Glue 5.1 job that reads one table and publishes another, or leaves it as it was.

    Parameters
    ----------
    scope, id
        As for every construct.
    step : EtlStep
        What it does.
    engine : Engine, optional
        On what. Default: ``Engine.single_node()``.
    limits : JobLimits, optional
        Default: two hours, one run at a time, no retry.
    event_bus : IEventBus, optional
        Hears of refused batches. Default: the account's default bus.
    encryption_key : IKey, optional
        Customer managed key of logs, bookmarks and Spark's files; its policy must let ``logs.<region>.amazonaws.com``
        use it. Default: the key of the table that is published, or read.
    alarm_topic : ITopic, optional
        Who hears of failures. Default: nobody.

    Attributes
    ----------
    job : PySparkEtlJob
    role : Role

    Notes
    -----
    Source: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html. Lens best
    practices MLSEC02-BP01, MLREL03-BP02, MLCOST04-BP01.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        step: EtlStep,
        engine: Engine | None = None,
        limits: JobLimits | None = None,
        event_bus: events.IEventBus | None = None,
        encryption_key: kms.IKey | None = None,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        super().__init__(scope, id)
        self.step = step
        self.limits = JobLimits() if limits is None else limits
        self._alarm_topic = alarm_topic
        table = step.source if step.target is None else step.target
        key = table.encryption_key if encryption_key is None else encryption_key
        script = assets.Asset(self, "Script", path=str(step.script))
        modules = assets.Asset(self, "Modules", path=str(bundled("etl_src")), exclude=_IGNORED_FILES)
        self._bus = events.EventBus.from_event_bus_name(self, "Bus", "default") if event_bus is None else event_bus
        self._name = cdk.Names.unique_resource_name(self, max_length=64, separator="-")
        log_prefix = f"/aws-glue/jobs/{self._name}"
        self.role = job_role(self, step=step, code=[script, modules], key=key)
        allow_observation(self.role, log_prefix=log_prefix)
        allow_events(self.role, self._bus)
        engine = Engine.single_node() if engine is None else engine
        arguments = job_arguments(
            step, engine=engine, limits=self.limits, log_prefix=log_prefix, event_bus_name=self._bus.event_bus_name
        )
        self.job = self._job(engine, script, modules, arguments, self._security(key))
        self.alarm("FailureAlarm", FAILURE_ALARM)

    @property
    def name(self) -> str:
        """Name of the Glue job."""
        return self.job.job_name

    def grant_start(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to start, watch and stop runs of this job only."""
        actions = ("BatchStopJobRun", "GetJobRun", "GetJobRuns", "StartJobRun")
        return grants.allow(grantee, [f"glue:{action}" for action in actions], [self.job.job_arn])

    def on_refused(self, id: str, target: events.IRuleTarget) -> events.Rule:
        """Tell a target of each batch that the quality gate refused, with table, version, rules and rows.

        Raises
        ------
        PropError
            When the step publishes no table.
        """
        table = self.step.target
        faults = Faults(f"job {self.node.id!r}")
        faults.unless(table is not None, "step", "publish a table", self.step.name)
        faults.raise_any()
        assert table is not None
        pattern = refused_batches(f"{table.database_name}.{table.name}")
        return tell(self, id, bus=self._bus, pattern=pattern, target=target)

    def metric(self, name: str, *, type: str = "count") -> cloudwatch.Metric:
        """Return one metric of all runs, in ``Glue``; ``type`` is ``count`` or ``gauge``.

        Source: https://docs.aws.amazon.com/glue/latest/dg/monitoring-awsglue-with-cloudwatch-metrics.html
        """
        dimensions = {"JobName": self.name, "JobRunId": "ALL", "Type": type}
        return cloudwatch.Metric(namespace="Glue", metric_name=name, dimensions_map=dimensions)

    def metric_failures(self) -> cloudwatch.Metric:
        """Return how often a run failed or ran out of time, counted by an EventBridge rule."""
        dimensions = {"RuleName": self._failures().rule_name}
        return cloudwatch.Metric(namespace="AWS/Events", metric_name="TriggeredRules", dimensions_map=dimensions)

    def alarm(self, id: str, rule: AlarmRule) -> cloudwatch.Alarm:
        """Make an alarm on a metric of the job; ``TriggeredRules`` counts its failures."""
        failures = rule.metric == FAILURE_ALARM.metric
        metric = self.metric_failures() if failures else self.metric(rule.metric)
        return add_alarm(self, id, metric=metric, rule=rule, topic=self._alarm_topic)

    def _security(self, key: kms.IKey) -> glue.SecurityConfiguration:
        security = glue.SecurityConfiguration(
            self,
            "Security",
            s3_encryption=glue.S3Encryption.kms(key),
            cloud_watch_encryption=glue.CloudWatchEncryption.kms(key),
            job_bookmarks_encryption=glue.JobBookmarksEncryption.client_side_kms(key),
        )
        # It holds no data and has a fixed name: were it kept, the stack could not be made a second time.
        security.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
        return security

    def _job(
        self,
        engine: Engine,
        script: assets.Asset,
        modules: assets.Asset,
        arguments: dict[str, str],
        security: glue.SecurityConfiguration,
    ) -> glue.PySparkEtlJob:
        job = glue.PySparkEtlJob(
            self,
            "Job",
            # The L2 would grant s3:GetObject* and more on the assets' bucket; the role has exact actions instead.
            role=self.role.without_policy_updates(),
            script=glue.Code.from_bucket(script.bucket, script.s3_object_key),
            extra_python_files=[glue.Code.from_bucket(modules.bucket, modules.s3_object_key)],
            glue_version=glue.GlueVersion.V5_1,
            worker_configuration=glue.WorkerConfiguration(
                worker_type=glue.WorkerType[engine.worker_type.replace(".", "_")], number_of_workers=engine.workers
            ),
            timeout=cdk.Duration.minutes(self.limits.timeout_minutes),
            max_retries=self.limits.retries,
            max_concurrent_runs=self.limits.concurrency,
            security_configuration=security,
            default_arguments=arguments,
        )
        job.node.add_dependency(self.role)
        return job

    def _failures(self) -> events.Rule:
        """Return the rule that sees failed runs, made once."""
        made = self.node.try_find_child("Failures")
        if isinstance(made, events.Rule):
            return made
        counter = events.Rule(self, "Failures", event_pattern=failed_runs(self.name))
        explain(counter, {"EventBusDLQ": "The rule has no target that could fail: its own metric counts the events."})
        return counter
