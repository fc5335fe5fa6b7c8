"""Serving, Evaluation and Preparation: the containers around a training, as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cdk_ml_lens.core.container_image import ContainerImage
from cdk_ml_lens.training.source_code import SourceCode
from cdk_ml_lens.training.training_image import TrainingImage


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
class Preparation:
    """A processing job between dataset and training.

    Parameters
    ----------
    source : SourceCode
        Reads ``/opt/ml/processing/input/{train,validation,test}``, writes ``/opt/ml/processing/output/`` alike.
    image : ContainerImage
        What runs it.
    arguments : sequence of str
        Arguments of the script. Default: none.
    """

    source: SourceCode
    image: ContainerImage
    arguments: Sequence[str] = ()

    @staticmethod
    def plain_csv() -> Preparation:
        """Keep the features only, without a header: built-in algorithms read nothing else.

        Source: https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html
        """
        source = SourceCode.bundled("plain_csv", "strip.py")
        return Preparation(source=source, image=TrainingImage.sklearn(), arguments=("--root", "/opt/ml"))
