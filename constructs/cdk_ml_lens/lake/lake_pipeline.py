"""LakePipeline: raw readings to features, three jobs in a state machine, started by the clock or by new data."""

from __future__ import annotations

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.alarms import AlarmRule, add_alarm
from cdk_ml_lens.core.feature_set import FeatureSet
from cdk_ml_lens.core.machine import DefinedMachine
from cdk_ml_lens.core.nag import explain_policy
from cdk_ml_lens.lake import pipeline_tables
from cdk_ml_lens.lake.data_lake import DataLake
from cdk_ml_lens.lake.etl_engine import Engine, JobLimits
from cdk_ml_lens.lake.etl_job import EtlJob
from cdk_ml_lens.lake.etl_step import EtlStep
from cdk_ml_lens.lake.lake_table import LakeTable
from cdk_ml_lens.lake.pipeline_arrival import ArrivalStart
from cdk_ml_lens.lake.pipeline_definition import definition_of
from cdk_ml_lens.lake.pipeline_trigger import PipelineTrigger, start_regularly
from cdk_ml_lens.lake.quality import QualityGate

_LIMITS = JobLimits()
FAILURE_ALARM = AlarmRule(
    metric="ExecutionsFailed", threshold=0, description="A step failed: the execution's error is CleanFailed or alike."
)


class LakePipeline(Construct):
    """Cleans, normalises and computes features of a raw table; each step publishes its table whole or not at all.

    Parameters
    ----------
    scope, id
        As for every construct.
    lake : DataLake
        Has the zones ``modelled``, ``enhanced`` and ``transformed``.
    source : LakeTable
        Raw readings: ``reading_id``, ``device_id``, ``event_time``, ``received_at`` and the sensors.
    feature_set : FeatureSet
        Sensors, features, cleaning and normalisation.
    engine : Engine, optional
        Default: ``Engine.single_node()``.
    quality : QualityGate, optional
        Rules of the cleaned readings, in the sensors' units; rules on columns that only the features have are rules
        of those. Default: at least one row, at most 5 % refused.
    trigger : PipelineTrigger, optional
        When it starts. Default: by hand, see `grant_start`.
    alarm_topic : ITopic, optional
        Who hears of failures. Default: nobody.

    Attributes
    ----------
    modelled, enhanced, features : LakeTable
        Cleaned readings, those on one scale, and the features.
    jobs : list of EtlJob
        In the order of their run.
    machine : DefinedMachine
    parameters_bucket : IBucket
        Bucket of the normalisation parameters.
    parameters_key : str
        Key of the newest parameters, which the scorer reads.

    Raises
    ------
    PropError
        When the source lacks a column, or a rule looks at a column that no table has.

    Notes
    -----
    Source: https://docs.aws.amazon.com/step-functions/latest/dg/connect-glue.html. Lens best practices
    MLREL03-BP02 (same features in training and inference), MLOPS03-BP01.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        lake: DataLake,
        source: LakeTable,
        feature_set: FeatureSet,
        engine: Engine | None = None,
        quality: QualityGate | None = None,
        trigger: PipelineTrigger | None = None,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        pipeline_tables.check_source(feature_set, source.columns)
        tables = (
            pipeline_tables.readings(feature_set, normalised=False),
            pipeline_tables.readings(feature_set, normalised=True),
            pipeline_tables.features(feature_set),
        )
        gate = QualityGate() if quality is None else quality
        known = [column.name for table in tables for column in table.columns]
        gate.check_columns(known, "lake pipeline")
        super().__init__(scope, id)
        self._alarm_topic = alarm_topic
        self.feature_set = feature_set
        self.modelled = lake.add_table(tables[0], zone="modelled")
        self.enhanced = lake.add_table(tables[1], zone="enhanced")
        self.features = lake.add_table(tables[2], zone="transformed")
        steps = self._steps(source, feature_set, gate)
        self.jobs = [
            EtlJob(self, step.name.capitalize(), step=step, engine=engine, limits=_LIMITS, alarm_topic=alarm_topic)
            for step in steps
        ]
        self.parameters_bucket: s3.IBucket = self.enhanced.bucket
        self.parameters_key = f"{steps[1].artifacts_prefix}current.json"
        self.machine = DefinedMachine(
            self, "Machine", definition=definition_of(self.jobs), encryption_key=lake.encryption_key
        )
        self._allow()
        self._start(trigger, source, lake)
        self.alarm("FailureAlarm", FAILURE_ALARM)

    @property
    def roles(self) -> tuple[iam.Role, ...]:
        """Roles of the jobs, which `DataLake.restrict_key` wants to know."""
        return tuple(job.role for job in self.jobs)

    def then(self, job: EtlJob) -> None:
        """Run one more job after the features are published, such as one that feeds a `FeatureGroup`.

        Its failure leaves the tables published, and fails the execution with ``<id of the job>Failed``.
        """
        self.jobs.append(job)
        job.grant_start(self.machine.role)

    def grant_start(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to start a run; it waits for the run before it."""
        return self.machine.grant_start(grantee)

    def grant_read_parameters(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to read the newest normalisation parameters."""
        grants.use_key(grantee, self.enhanced.encryption_key, "kms:Decrypt")
        objects = self.parameters_bucket.arn_for_objects(self.parameters_key)
        return grants.allow(grantee, ["s3:GetObject"], [objects])

    def metric(self, name: str) -> cloudwatch.Metric:
        """Return one metric of the state machine, in ``AWS/States``."""
        return self.machine.metric(name)

    def alarm(self, id: str, rule: AlarmRule) -> cloudwatch.Alarm:
        """Make an alarm on a metric of the state machine."""
        return add_alarm(self, id, metric=self.metric(rule.metric), rule=rule, topic=self._alarm_topic)

    def _steps(self, source: LakeTable, feature_set: FeatureSet, gate: QualityGate) -> tuple[EtlStep, ...]:
        modelled, enhanced, features = self.modelled, self.enhanced, self.features
        of_readings = [column.name for column in modelled.columns]
        of_features = [column.name for column in features.columns if column.name not in of_readings]
        plain = QualityGate(max_quarantined_share=gate.max_quarantined_share)
        return (
            EtlStep.clean(
                source=source, target=modelled, feature_set=feature_set, quality=gate.for_columns(of_readings)
            ),
            EtlStep.normalise(source=modelled, target=enhanced, feature_set=feature_set, quality=plain),
            EtlStep.features(
                source=enhanced, target=features, feature_set=feature_set, quality=gate.for_columns(of_features)
            ),
        )

    def _allow(self) -> None:
        """What ``startJobRun.sync`` calls, and the look at other executions."""
        for job in self.jobs:
            job.grant_start(self.machine.role)
        # In a policy of its own: the machine waits for the role's, which therefore cannot name the machine.
        statement = iam.PolicyStatement(actions=["states:ListExecutions"], resources=[self.machine.arn])
        explain_policy(iam.Policy(self, "LookAtOthers", roles=[self.machine.role], statements=[statement]))

    def _start(self, trigger: PipelineTrigger | None, source: LakeTable, lake: DataLake) -> None:
        if trigger is None:
            return
        if trigger.kind == "schedule":
            start_regularly(self, trigger, self.machine)
            return
        ArrivalStart(
            self,
            "Arrival",
            bucket_name=source.bucket.bucket_name,
            prefix=source.prefix,
            settle_seconds=trigger.settle_seconds,
            machine=self.machine,
            encryption_key=lake.encryption_key,
        )
