"""TrainingOptions: how the jobs of a pipeline run, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.training.refs import RunTracking
from cdk_ml_lens.training.resources import TrainingIsolation, TrainingResources
from cdk_ml_lens.training.tuning import Tuning


@dataclass(frozen=True, kw_only=True)
class EvaluationResources:
    """Instance of the evaluation, a processing job.

    Parameters
    ----------
    instance_type : str
        SageMaker AI instance type. Default: ``ml.m5.large``.
    volume_gb : int
        Its volume, in GB. Default: 10.
    max_minutes : int
        The job is stopped after this. Default: 30.

    Raises
    ------
    PropError
        When a number is out of range.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProcessingClusterConfig.html
    """

    instance_type: str = "ml.m5.large"
    volume_gb: int = 10
    max_minutes: int = 30

    def __post_init__(self) -> None:
        faults = Faults("evaluation resources")
        faults.unless(self.instance_type.startswith("ml."), "instance_type", "begin with ml.", self.instance_type)
        faults.within("volume_gb", self.volume_gb, 1, 16_384)
        faults.within("max_minutes", self.max_minutes, 1, 777_600 // 60)
        faults.raise_any()


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """How the jobs of a pipeline run.

    Parameters
    ----------
    resources : TrainingResources
        Default: one ``ml.m5.large`` for at most an hour.
    isolation : TrainingIsolation
        Default: no network, traffic between instances encrypted.
    evaluation : EvaluationResources
        Of evaluation and preparation. Default: one ``ml.m5.large`` for at most half an hour.
    tuning : Tuning, optional
        A search in place of one training job. Default: none.
    tracking : MlflowTracking, optional
        Where scripts log their runs; containers need a network for it. Default: nowhere.
    """

    resources: TrainingResources = field(default_factory=TrainingResources)
    isolation: TrainingIsolation = field(default_factory=TrainingIsolation)
    evaluation: EvaluationResources = field(default_factory=EvaluationResources)
    tuning: Tuning | None = None
    tracking: RunTracking | None = None

    @property
    def longest_minutes(self) -> int:
        """Longest time of the training or the search, in minutes."""
        return self.resources.longest_minutes if self.tuning is None else self.tuning.max_minutes
