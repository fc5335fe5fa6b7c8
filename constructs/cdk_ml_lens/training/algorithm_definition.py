"""AlgorithmDefinition: what is trained, how it is served and how it is judged, as one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cdk_ml_lens.core.container_image import ContainerImage
from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.training.algorithm_parts import Evaluation, Preparation, Serving
from cdk_ml_lens.training.auto_ml import AutoMl
from cdk_ml_lens.training.source_code import SourceCode


@dataclass(frozen=True, kw_only=True)
class AlgorithmDefinition:
    """One definition of training, serving and evaluation. Presets are at `Algorithm`.

    Parameters
    ----------
    name : str
        Short name, for descriptions.
    image : ContainerImage
        Container of the training job.
    serving : Serving
        Container of the endpoint.
    evaluation : Evaluation
        How a candidate is judged.
    source : SourceCode, optional
        Script of the training. Default: none; the image holds the algorithm.
    hyperparameters : mapping of str to str
        Given to every training job. Default: none.
    metrics : mapping of str to str
        Metric name to the regular expression that finds it in the log. Default: none; built-in algorithms have their
        own.
    content_type : str
        Of the training data. Default: ``text/csv``.
    preparation : Preparation, optional
        What is done to the dataset first. Default: nothing.
    dimension : str, optional
        Hyperparameter that gets the number of features. Default: none.
    auto_ml : AutoMl, optional
        Lets SageMaker AI choose and train; image, source and hyperparameters are not used then. Default: none.
    checkpoints : bool
        Whether the training can go on from a checkpoint. Default: false.

    Raises
    ------
    PropError
        When a hyperparameter is one that the pipeline sets itself.

    Notes
    -----
    Lens best practices MLOPS05-BP01 (one definition), MLREL03-BP02.
    """

    name: str
    image: ContainerImage
    serving: Serving
    evaluation: Evaluation
    source: SourceCode | None = None
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "text/csv"
    preparation: Preparation | None = None
    dimension: str | None = None
    auto_ml: AutoMl | None = None
    checkpoints: bool = False

    def __post_init__(self) -> None:
        faults = Faults(f"algorithm {self.name!r}")
        own = [name for name in self.hyperparameters if name == "features" or name.startswith("sagemaker_")]
        faults.unless(not own, "hyperparameters", "leave features and sagemaker_… to the pipeline", own)
        faults.unless(len(self.hyperparameters) <= 90, "hyperparameters", "number at most 90", self.hyperparameters)
        faults.raise_any()
