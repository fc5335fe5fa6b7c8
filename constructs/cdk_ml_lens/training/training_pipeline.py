"""TrainingPipeline: a dataset becomes a registered model version, or a refusal with its reason."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_ml_lens.core.alarms import AlarmRule, add_alarm
from cdk_ml_lens.core.event_rules import tell
from cdk_ml_lens.core.machine import DefinedMachine
from cdk_ml_lens.core.nag import acknowledge
from cdk_ml_lens.training import machine_access as access
from cdk_ml_lens.training.algorithm_definition import AlgorithmDefinition
from cdk_ml_lens.training.auto_ml import AutoMl
from cdk_ml_lens.training.functions import judge_function, register_function
from cdk_ml_lens.training.gate import ModelGate
from cdk_ml_lens.training.options import TrainingOptions
from cdk_ml_lens.training.options_check import check_options
from cdk_ml_lens.training.pipeline_states import FAILED, SOURCE, definition
from cdk_ml_lens.training.plan import TrainingPlan
from cdk_ml_lens.training.plan_builder import make_plan
from cdk_ml_lens.training.refs import Datasets, ModelGroup
from cdk_ml_lens.training.registration import Registration
from cdk_ml_lens.training.tune_step import tuning_prefix

_SLACK_SECONDS = 14_400  # waiting for instances, retries, and the short states
_ALARMS = {
    "FailedAlarm": AlarmRule(
        metric="ExecutionsFailed",
        threshold=0,
        description="A training run failed or its candidate was refused: the execution's error and cause say why.",
    ),
    "TimedOutAlarm": AlarmRule(
        metric="ExecutionsTimedOut",
        threshold=0,
        description="A training run hung; stop its SageMaker AI job if it still runs, and start the run again.",
    ),
}


class TrainingPipeline(Construct):
    """A state machine: read the dataset, train, evaluate beside the champion, judge, register.

    Start it with ``{"dataset": "s3://…/dataset.json", "cause": "…"}``. It fails with ``ReadDatasetFailed``,
    ``TrainFailed``, ``EvaluateFailed``, ``JudgeFailed``, ``CandidateRefused`` or ``RegisterFailed``.

    Parameters
    ----------
    scope, id
        As for every construct.
    algorithm : AlgorithmDefinition
        What is trained, served and judged.
    datasets : Datasets
        A `TrainingDataset` of the lake, or a `DatasetSource`.
    registry : ModelGroup
        A `ModelRegistry`, or one of another stack.
    gate : ModelGate
        What a candidate must fulfil.
    options : TrainingOptions, optional
        Instances, spot, isolation. Default: one ``ml.m5.large`` on demand without a network.
    registration : Registration, optional
        The endpoint that a version is meant for. Default: one ``ml.m5.large``.
    alarm_topic : ITopic, optional
        Who hears of failed and hung runs. Default: nobody.

    Attributes
    ----------
    machine : DefinedMachine
    judge, register : HandlerFunction
    training_role, evaluation_role : Role
        Roles of the jobs.

    Raises
    ------
    PropError
        When SageMaker AI would refuse the combination of algorithm and options.

    Notes
    -----
    Sources: https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html,
    https://docs.aws.amazon.com/sagemaker/latest/dg/train-model.html. Lens best practices MLOPS05-BP01, MLOPS06-BP01,
    MLREL03-BP01.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        algorithm: AlgorithmDefinition,
        datasets: Datasets,
        registry: ModelGroup,
        gate: ModelGate,
        options: TrainingOptions | None = None,
        registration: Registration | None = None,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        wanted = TrainingOptions() if options is None else options
        check_options(algorithm, wanted)
        super().__init__(scope, id)
        self._alarm_topic = alarm_topic
        self._registry = registry
        self._datasets = datasets
        plan = make_plan(self, algorithm=algorithm, options=wanted, registry=registry, datasets=datasets)
        self.training_role, self.evaluation_role = plan.training_role, plan.evaluation_role
        self._job_roles = (plan.training_role, *plan.processing_roles)
        self.judge = judge_function(self, registry=registry, gate=gate)
        self.register = register_function(self, plan, Registration() if registration is None else registration)
        self.machine = DefinedMachine(
            self,
            "Machine",
            encryption_key=registry.encryption_key,
            definition=definition(
                plan,
                judge=self.judge.function.function_arn,
                register=self.register.function.function_arn,
                longest_seconds=_longest(wanted, algorithm.auto_ml),
            ),
        )
        if wanted.tracking is not None:
            reason = "Training calls the tracking server; TrainingIsolation(network=) keeps that inside a VPC."
            acknowledge(self.machine.machine, "TR2[Train]", reason, pack="MlLens")
        self._allow(plan)
        for alarm_id, rule in _ALARMS.items():
            self.alarm(alarm_id, rule)

    @property
    def roles(self) -> tuple[iam.IRole, ...]:
        """Roles that read datasets: those of the machine and its jobs, which `DataLake.restrict_key` wants to know."""
        return (self.machine.role, *self._job_roles)

    def grant_start(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to start a run."""
        return self.machine.grant_start(grantee)

    def metric(self, name: str) -> cloudwatch.Metric:
        """Return one metric of the state machine, in ``AWS/States``."""
        return self.machine.metric(name)

    def alarm(self, id: str, rule: AlarmRule) -> cloudwatch.Alarm:
        """Make an alarm on a metric of the state machine."""
        return add_alarm(self, id, metric=self.metric(rule.metric), rule=rule, topic=self._alarm_topic)

    def on_failed(self, id: str, target: events.IRuleTarget) -> events.Rule:
        """Tell a target of every run that failed or was refused: execution, dataset, step, error, cause."""
        execution = cdk.Stack.of(self).format_arn(
            service="states",
            resource="execution",
            resource_name=f"{cdk.Fn.select(6, cdk.Fn.split(':', self.machine.arn))}:",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        detail = {"execution": events.Match.prefix(execution)}
        pattern = events.EventPattern(source=[SOURCE], detail_type=[FAILED], detail=detail)
        return tell(self, id, pattern=pattern, target=target)

    def _allow(self, plan: TrainingPlan) -> None:
        role, names = self.machine.role, f"{plan.prefix}-*"
        self._datasets.grant_read(role)
        self._allow_training(plan, names)
        for job_role in plan.processing_roles:
            access.allow_jobs(self, role, kind=access.PROCESSING, names=names, passed=job_role)
        access.allow_champion(self, role, self._registry)
        access.allow_functions(role, [made.function.function_arn for made in (self.judge, self.register)])
        access.allow_events(self, role, SOURCE)
        self.machine.machine.node.add_dependency(*self._job_roles)

    def _allow_training(self, plan: TrainingPlan, names: str) -> None:
        role = self.machine.role
        auto_ml = plan.algorithm.auto_ml
        if auto_ml is not None:
            access.allow_auto_ml(self, role, names=f"{tuning_prefix(plan)}-*", passed=auto_ml.role)
            return
        if plan.options.tuning is None:
            access.allow_jobs(self, role, kind=access.TRAINING, names=names, passed=plan.training_role)
            return
        searches = f"{tuning_prefix(plan)}-*"
        access.allow_jobs(self, role, kind=access.TUNING, names=searches, passed=plan.training_role)
        access.allow_best(self, role, names=searches)


def _longest(options: TrainingOptions, auto_ml: AutoMl | None) -> int:
    training = options.longest_minutes if auto_ml is None else auto_ml.max_minutes
    minutes = training + 2 * options.evaluation.max_minutes
    return minutes * 60 + _SLACK_SECONDS
