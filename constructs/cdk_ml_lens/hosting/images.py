"""InferenceImage: the registry account of each region for the framework images that AWS publishes."""

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
    XGBOOST_VERSION,
)


@dataclass(frozen=True, kw_only=True)
class InferenceImage(ContainerImage):
    """A container image: repository, tag, and the account that publishes it in each region.

    Parameters
    ----------
    repository : str
        ECR repository.
    tag : str
        Image tag, or ``sha256:…`` digest.
    accounts : tuple of (region, account), optional
        Publisher by region. Default: the stack's own account.
    marketplace : bool
        Whether AWS Marketplace sells it; deployment guardrails exclude such containers. Default: false.
    """

    marketplace: bool = False

    @staticmethod
    def sklearn(version: str = SKLEARN_VERSION) -> InferenceImage:
        """Return AWS's scikit-learn script-mode image.

        Parameters
        ----------
        version : str
            Container version; ``1.9-0`` holds scikit-learn 1.9.0. Default: ``1.9-0``.
        """
        return InferenceImage(
            repository=SKLEARN_REPOSITORY, tag=f"{version}-cpu-py3", accounts=tuple(FRAMEWORKS.items())
        )

    @staticmethod
    def xgboost(version: str = XGBOOST_VERSION) -> InferenceImage:
        """Return AWS's XGBoost image, for script mode and as a built-in algorithm.

        Parameters
        ----------
        version : str
            Container version. Default: ``3.2-0``.
        """
        return InferenceImage(repository="sagemaker-xgboost", tag=version, accounts=tuple(FRAMEWORKS.items()))

    @staticmethod
    def pytorch(version: str = PYTORCH_VERSION, *, gpu: bool = False, python: str = "py312") -> InferenceImage:
        """Return AWS's PyTorch inference image.

        Parameters
        ----------
        version : str
            PyTorch version. Default: ``2.6.0``.
        gpu : bool
            Whether the variant's instances have GPUs. Default: false.
        python : str
            Python of the image; it goes with the version. Default: ``py312``.
        """
        tag = f"{version}-{'gpu' if gpu else 'cpu'}-{python}"
        return InferenceImage(repository="pytorch-inference", tag=tag, accounts=tuple(DEEP_LEARNING.items()))

    @staticmethod
    def random_cut_forest() -> InferenceImage:
        """Return the built-in Random Cut Forest algorithm, version 1."""
        return InferenceImage(repository="randomcutforest", tag="1", accounts=tuple(RANDOM_CUT_FOREST.items()))
