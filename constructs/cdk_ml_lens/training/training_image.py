"""TrainingImage: AWS's container images for training jobs."""

from __future__ import annotations

from dataclasses import dataclass

from cdk_ml_lens.core.container_image import ContainerImage
from cdk_ml_lens.core.image_registries import (
    DEEP_LEARNING,
    FRAMEWORKS,
    PYTORCH_VERSION,
    RANDOM_CUT_FOREST,
    SKLEARN_REPOSITORY,
    SKLEARN_VERSION,
)


@dataclass(frozen=True, kw_only=True)
class TrainingImage(ContainerImage):
    """A container image that trains.

    Parameters
    ----------
    repository : str
        ECR repository.
    tag : str
        Image tag, or ``sha256:…`` digest.
    accounts : tuple of (region, account), optional
        Publisher by region. Default: the stack's own account.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg-ecr-paths/sagemaker-algo-docker-registry-paths.html
    """

    @staticmethod
    def sklearn(version: str = SKLEARN_VERSION) -> TrainingImage:
        """Return AWS's scikit-learn image, the same for training and serving.

        Parameters
        ----------
        version : str
            Container version. Default: that of `InferenceImage.sklearn`, so that a model is loaded by what saved it.
        """
        accounts = tuple(FRAMEWORKS.items())
        return TrainingImage(repository=SKLEARN_REPOSITORY, tag=f"{version}-cpu-py3", accounts=accounts)

    @staticmethod
    def pytorch(version: str = PYTORCH_VERSION, *, gpu: bool = False, python: str = "py312") -> TrainingImage:
        """Return AWS's PyTorch training image.

        Parameters
        ----------
        version : str
            PyTorch version. Default: that of `InferenceImage.pytorch`.
        gpu : bool
            Whether the instances have GPUs. Default: false.
        python : str
            Python of the image; it goes with the version. Default: ``py312``.
        """
        tag = f"{version}-{'gpu' if gpu else 'cpu'}-{python}"
        return TrainingImage(repository="pytorch-training", tag=tag, accounts=tuple(DEEP_LEARNING.items()))

    @staticmethod
    def pytorch_serving(version: str = PYTORCH_VERSION, *, python: str = "py312") -> TrainingImage:
        """Return AWS's PyTorch inference image, which a registered model is served and evaluated with."""
        tag = f"{version}-cpu-{python}"
        return TrainingImage(repository="pytorch-inference", tag=tag, accounts=tuple(DEEP_LEARNING.items()))

    @staticmethod
    def random_cut_forest() -> TrainingImage:
        """Return the built-in Random Cut Forest algorithm, version 1."""
        return TrainingImage(repository="randomcutforest", tag="1", accounts=tuple(RANDOM_CUT_FOREST.items()))
