"""TrainingPipeline: a dataset becomes a registered model version, or a refusal with its reason."""

from __future__ import annotations

import json
from dataclasses import asdict

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.alarms import AlarmRule, add_alarm
from cdk_ml_lens.core.function import HandlerFunction
from cdk_ml_lens.core.machine import DefinedMachine
from cdk_ml_lens.core.nag import acknowledge, finding_of
from cdk_ml_lens.training import machine_access as access
from cdk_ml_lens.training.algorithm import Algorithm
from cdk_ml_lens.training.gate import ModelGate
from cdk_ml_lens.training.job_role import PULL, JobRole
from cdk_ml_lens.training.options import TrainingOptions
from cdk_ml_lens.training.options_check import check_options
from cdk_ml_lens.training.pipeline_states import FAILED, SOURCE, definition
from cdk_ml_lens.training.plan import TrainingPlan, job_prefix
from cdk_ml_lens.training.refs import Datasets, ModelGroup
from cdk_ml_lens.training.registration import Registration

_HANDLER_SECONDS = 60
_SLACK_SECONDS = 7200  # waiting for instances, and the short states
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
    algorithm : Algorithm
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
        algorithm: Algorithm,
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
        plan = self._plan(algorithm, wanted)
        self.training_role, self.evaluation_role = plan.training_role, plan.evaluation_role
        self.judge = self._judge(gate)
        self.register = self._register(plan, Registration() if registration is None else registration)
        self.machine = DefinedMachine(
            self,
            "Machine",
            encryption_key=registry.encryption_key,
            definition=definition(
                plan,
                judge=self.judge.function.function_arn,
                register=self.register.function.function_arn,
                longest_seconds=_longest(wanted),
            ),
        )
        self._allow(plan)
        for alarm_id, rule in _ALARMS.items():
            self.alarm(alarm_id, rule)

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
        return events.Rule(self, id, event_pattern=pattern, targets=[target])

    def _plan(self, algorithm: Algorithm, options: TrainingOptions) -> TrainingPlan:
        code = None if algorithm.source is None else algorithm.source.archive(self, "Code")
        evaluation_code = algorithm.evaluation.source.runnable(self, "EvaluationCode")
        in_network = options.isolation.network is not None
        training = JobRole(
            self,
            "Training",
            image=algorithm.image,
            code=None if code is None else code.asset,
            logs="TrainingJobs",
            in_network=in_network,
        )
        training.reach(self._registry, reads=("checkpoints",), writes=("training", "checkpoints"))
        evaluation = JobRole(
            self,
            "Evaluation",
            image=algorithm.evaluation.image,
            code=evaluation_code.asset,
            logs="ProcessingJobs",
            in_network=in_network,
        )
        evaluation.reach(self._registry, reads=("training",), writes=("evaluations",))
        for job in (training, evaluation):
            self._datasets.grant_read(job.role)
        return TrainingPlan(
            scope=self,
            prefix=job_prefix(self),
            algorithm=algorithm,
            options=options,
            registry=self._registry,
            training_role=training.role,
            evaluation_role=evaluation.role,
            code=code,
            evaluation_code=evaluation_code,
        )

    def _judge(self, gate: ModelGate) -> HandlerFunction:
        """Make the function that compares numbers with the gate and writes the decision."""
        made = self._function("Judge", "judge_candidate", {"GATE": gate.render()})
        self._evaluations(made.role, "s3:GetObject", "s3:PutObject")
        return made

    def _register(self, plan: TrainingPlan, registration: Registration) -> HandlerFunction:
        """Make the function that writes a version and its manifest."""
        serving, registry = plan.algorithm.serving, self._registry
        made = self._function(
            "Register",
            "register_candidate",
            {
                "GROUP": registry.group_name,
                "BUCKET": registry.bucket.bucket_name,
                "APPROVAL_STATUS": registry.approval_status,
                "IMAGE": serving.image.uri(self),
                "ENVIRONMENT": json.dumps(dict(serving.environment), sort_keys=True),
                "CONTENT_TYPES": ",".join(serving.content_types),
                "RESPONSE_TYPES": ",".join(serving.response_types),
                "CODE_URI": "" if plan.code is None else plan.code.url,
                "CODE_SHA256": "" if plan.code is None else plan.code.sha256,
                "ENDPOINT": json.dumps(asdict(registration), sort_keys=True),
            },
        )
        registry.grant_register(made.role)
        registry.grant_approve(made.role)
        # What was begun and cannot be finished is taken back; both resources are explained by grant_register.
        grants.allow(made.role, ["sagemaker:DeleteModelPackage"], [registry.packages_arn])
        manifests = registry.bucket.arn_for_objects("manifests/*")
        grants.allow(made.role, ["s3:DeleteObject"], [manifests])
        acknowledge(made.role, f"IAM5[{finding_of(self, manifests)}]", "A manifest is named after its version.")
        # SageMaker AI looks up the image and its digest as the caller of CreateModelPackage.
        grants.allow(made.role, PULL, [serving.image.repository_arn(self)])
        return made

    def _function(self, id: str, handler: str, environment: dict[str, str]) -> HandlerFunction:
        return HandlerFunction(
            self,
            id,
            handler=handler,
            environment=environment,
            encryption_key=self._registry.encryption_key,
            timeout_seconds=_HANDLER_SECONDS,
        )

    def _evaluations(self, role: iam.Role, *actions: str) -> None:
        objects = self._registry.bucket.arn_for_objects("evaluations/*")
        grants.allow(role, actions, [objects])
        acknowledge(role, f"IAM5[{finding_of(self, objects)}]", "Evaluations are named after executions.")
        grants.use_key(role, self._registry.encryption_key, "kms:Decrypt", "kms:GenerateDataKey")

    def _allow(self, plan: TrainingPlan) -> None:
        role, names = self.machine.role, f"{plan.prefix}-*"
        self._datasets.grant_read(role)
        access.allow_jobs(self, role, kind=access.TRAINING, names=names, passed=plan.training_role)
        access.allow_jobs(self, role, kind=access.PROCESSING, names=names, passed=plan.evaluation_role)
        access.allow_champion(self, role, self._registry)
        access.allow_functions(role, [made.function.function_arn for made in (self.judge, self.register)])
        access.allow_events(self, role, SOURCE)
        self.machine.machine.node.add_dependency(plan.training_role, plan.evaluation_role)


def _longest(options: TrainingOptions) -> int:
    minutes = options.resources.longest_minutes + options.evaluation.max_minutes
    return minutes * 60 + _SLACK_SECONDS
