"""Makes the roles and the code of a pipeline's jobs, and the plan that its states are written from."""

from __future__ import annotations

from dataclasses import replace

from constructs import Construct

from cdk_ml_lens.core.container_image import ContainerImage
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
    training = jobs.role("Training", algorithm.image, code, logs="TrainingJobs")
    training.reach(registry, reads=("checkpoints", "prepared"), writes=("training", "checkpoints"))
    if options.tracking is not None:
        options.tracking.grant_log(training.role)
    evaluation = jobs.role("Evaluation", algorithm.evaluation.image, evaluation_code, logs="ProcessingJobs")
    evaluation.reach(registry, reads=("training", "prepared"), writes=("evaluations",))
    plan = TrainingPlan(
        scope=scope,
        prefix=job_prefix(scope),
        algorithm=algorithm,
        options=options,
        registry=registry,
        training_role=training.role,
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

    def role(self, id: str, image: ContainerImage, code: PackedCode | None, *, logs: str) -> JobRole:
        """Make the role of one kind of job."""
        asset = None if code is None else code.asset
        made = JobRole(self._scope, id, image=image, code=asset, logs=logs, in_network=self._in_network)
        self._datasets.grant_read(made.role)
        return made
