"""Makes the roles and the code of a pipeline's jobs, and the plan that its states are written from."""

from __future__ import annotations

from dataclasses import replace

from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.container_image import ContainerImage
from cdk_ml_lens.core.nag import acknowledge, finding_of
from cdk_ml_lens.training.algorithm_definition import AlgorithmDefinition
from cdk_ml_lens.training.job_role import JobRole
from cdk_ml_lens.training.options import TrainingOptions
from cdk_ml_lens.training.plan import TrainingPlan, job_prefix
from cdk_ml_lens.training.refs import Datasets, ModelGroup
from cdk_ml_lens.training.source_code import PackedCode


def make_plan(
    scope: Construct,
    *,
    algorithm: AlgorithmDefinition,
    options: TrainingOptions,
    registry: ModelGroup,
    datasets: Datasets,
) -> TrainingPlan:
    """Return the plan.

    Parameters
    ----------
    scope : Construct
        The pipeline; roles and code are made below it.
    algorithm, options, registry, datasets
        As given to the pipeline.
    """
    code = None if algorithm.source is None else algorithm.source.archive(scope, "Code")
    evaluation_code = algorithm.evaluation.source.runnable(scope, "EvaluationCode")
    jobs = _Jobs(scope, options=options, datasets=datasets)
    training_role = jobs.training(algorithm, code, registry)
    if options.tracking is not None:
        options.tracking.grant_log(training_role)
    evaluation = jobs.role("Evaluation", algorithm.evaluation.image, evaluation_code, logs="ProcessingJobs")
    evaluation.reach(registry, reads=("training", "prepared"), writes=("evaluations",))
    plan = TrainingPlan(
        scope=scope,
        prefix=job_prefix(scope),
        algorithm=algorithm,
        options=options,
        registry=registry,
        training_role=training_role,
        evaluation_role=evaluation.role,
        code=code,
        evaluation_code=evaluation_code,
    )
    if algorithm.preparation is None:
        return plan
    prepared = algorithm.preparation.source.runnable(scope, "PreparationCode")
    preparation = jobs.role("Preparation", algorithm.preparation.image, prepared, logs="ProcessingJobs")
    preparation.reach(registry, reads=(), writes=("prepared",))
    return replace(plan, preparation_role=preparation.role, preparation_code=prepared)


class _Jobs:
    """Makes roles that all read the datasets."""

    def __init__(self, scope: Construct, *, options: TrainingOptions, datasets: Datasets) -> None:
        self._scope = scope
        self._in_network = options.isolation.network is not None
        self._datasets = datasets

    def training(self, algorithm: AlgorithmDefinition, code: PackedCode | None, registry: ModelGroup) -> iam.IRole:
        """Make the role of the training, or let that of the AutoML job read the dataset and write its models."""
        if algorithm.auto_ml is None:
            made = self.role("Training", algorithm.image, code, logs="TrainingJobs")
            made.reach(registry, reads=("checkpoints", "prepared"), writes=("training", "checkpoints"))
            return made.role
        role = algorithm.auto_ml.role
        self._datasets.grant_read(role)
        written = registry.bucket.arn_for_objects("training/*")
        grants.allow(role, ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"], [written])
        grants.allow(role, ["s3:ListBucket", "s3:GetBucketLocation"], [registry.bucket.bucket_arn])
        grants.use_key(role, registry.encryption_key, "kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey")
        grants.use_key(role, registry.encryption_key, "kms:GenerateDataKey")
        acknowledge(role, f"IAM5[{finding_of(self._scope, written)}]", "AutoML names its artifacts.")
        return role

    def role(self, id: str, image: ContainerImage, code: PackedCode | None, *, logs: str) -> JobRole:
        """Make the role of one kind of job."""
        asset = None if code is None else code.asset
        made = JobRole(self._scope, id, image=image, code=asset, logs=logs, in_network=self._in_network)
        self._datasets.grant_read(made.role)
        return made
