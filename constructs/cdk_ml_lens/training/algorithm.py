"""Algorithm: what is trained, how it is served and how it is judged, as one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cdk_ml_lens.core.container_image import ContainerImage
from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.training.source_code import SourceCode
from cdk_ml_lens.training.training_image import TrainingImage

_OURS = "see model_src/anomaly/train.py"
_RCF_LIMITS = "see docs.aws.amazon.com/sagemaker/latest/dg/rcf_hyperparameters.html"


@dataclass(frozen=True, kw_only=True)
class Serving:
    """What a registered version is served with.

    Parameters
    ----------
    image : ContainerImage
        Container of the endpoint.
    environment : mapping of str to str
        Its variables. Default: none.
    content_types, response_types : tuple of str
        What it takes and gives. Default: CSV, and JSON lines.
    """

    image: ContainerImage
    environment: Mapping[str, str] = field(default_factory=dict)
    content_types: tuple[str, ...] = ("text/csv", "application/jsonlines", "application/json")
    response_types: tuple[str, ...] = ("text/csv", "application/jsonlines", "application/json")

    @staticmethod
    def script(image: ContainerImage, *, entry_point: str = "inference.py") -> Serving:
        """Serve an artifact that carries ``code/<entry_point>`` with an image in script mode."""
        return Serving(
            image=image,
            environment={
                "SAGEMAKER_PROGRAM": entry_point,
                "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
                "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
            },
        )


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The processing job that scores the test split with candidate and champion.

    Parameters
    ----------
    source : SourceCode
        Writes ``evaluation.json`` to ``/opt/ml/processing/output`` from ``input/test``, ``input/model`` and, where
        there is a champion, ``input/champion``; reads ``DATASET_VERSION`` and ``CHAMPION_MODEL_PACKAGE_ARN``.
    image : ContainerImage
        Must be able to load the model.
    arguments : sequence of str
        Arguments of the script. Default: none.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html
    """

    source: SourceCode
    image: ContainerImage
    arguments: Sequence[str] = ()

    @staticmethod
    def anomalies(image: ContainerImage, *, deviations: float = 3.0, seed: int = 0) -> Evaluation:
        """Judge a detector of anomalies: alert rate, and faults of known size that are found.

        Parameters
        ----------
        image : ContainerImage
            That of the training.
        deviations : float
            Size of an injected fault, in standard deviations of the feature. Default: 3.
        seed : int
            Seed of the injection. Default: 0.
        """
        source = SourceCode.bundled("anomaly", "evaluate.py")
        settings = ("--deviations", f"{deviations:g}", "--seed", str(seed))
        return Evaluation(source=source, image=image, arguments=("--root", "/opt/ml", *settings))


@dataclass(frozen=True, kw_only=True)
class Algorithm:
    """One definition of training, serving and evaluation. Make one with a preset, or from parts.

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
    checkpoints: bool = False

    def __post_init__(self) -> None:
        faults = Faults(f"algorithm {self.name!r}")
        own = [name for name in self.hyperparameters if name == "features" or name.startswith("sagemaker_")]
        faults.unless(not own, "hyperparameters", "leave features and sagemaker_… to the pipeline", own)
        faults.unless(len(self.hyperparameters) <= 90, "hyperparameters", "number at most 90", self.hyperparameters)
        faults.raise_any()

    @staticmethod
    def isolation_forest(
        *, trees: int = 200, max_samples: int = 256, quantile: float = 0.995, seed: int = 0
    ) -> Algorithm:
        """Isolation forest of scikit-learn, by ``model_src/anomaly``.

        Parameters
        ----------
        trees : int
            Trees. Default: 200.
        max_samples : int
            Rows of each tree. Default: 256.
        quantile : float
            Share of normal rows below the threshold. Default: 0.995.
        seed : int
            Seed of the forest. Default: 0.

        Raises
        ------
        PropError
            When a number is out of range.
        """
        faults = Faults("isolation forest")
        faults.within("trees", trees, 1, 10_000, _OURS)
        faults.within("max_samples", max_samples, 2, 1_000_000, _OURS)
        _check_quantile(faults, quantile)
        faults.raise_any()
        settings = {"trees": str(trees), "max-samples": str(max_samples)}
        return _anomaly("isolation-forest", {**settings, "quantile": f"{quantile:g}", "seed": str(seed)})


def _anomaly(name: str, settings: Mapping[str, str]) -> Algorithm:
    """Return one of the detectors of ``model_src/anomaly``."""
    image = TrainingImage.sklearn()
    names = ("threshold", "training_alert_rate", "worst_fold_alert_rate")
    return Algorithm(
        name=name,
        image=image,
        serving=Serving.script(image),
        evaluation=Evaluation.anomalies(image),
        source=SourceCode.bundled("anomaly", "train.py"),
        hyperparameters=settings,
        metrics={metric: rf"metric {metric}=([0-9.eE+-]+)" for metric in names},
    )


def _check_quantile(faults: Faults, quantile: float) -> None:
    faults.unless(0 < quantile < 1, "quantile", "lie between 0 and 1, both excluded", quantile, _OURS)
