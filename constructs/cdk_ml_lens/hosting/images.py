"""InferenceImage: the registry account of each region for the framework images that AWS publishes."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from constructs import Construct

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.hosting.image_registries import DEEP_LEARNING, FRAMEWORKS, RANDOM_CUT_FOREST

SKLEARN_REPOSITORY = "sagemaker-scikit-learn"
SKLEARN_VERSION = "1.9-0"
XGBOOST_VERSION = "3.2-0"
PYTORCH_VERSION = "2.6.0"


@dataclass(frozen=True, kw_only=True)
class InferenceImage:
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

    repository: str
    tag: str
    accounts: tuple[tuple[str, str], ...] | None = None
    marketplace: bool = False

    def __post_init__(self) -> None:
        faults = Faults("inference image")
        faults.unless(bool(self.repository), "repository", "not be empty", self.repository)
        faults.unless(bool(self.tag), "tag", "not be empty", self.tag)
        faults.unless(self.tag != "latest", "tag", "name one version", self.tag, "a digest is best")
        faults.raise_any()

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

    def account(self, scope: Construct) -> str:
        """Return the publisher's account for the stack's region, by a CloudFormation mapping if that is unknown.

        Raises
        ------
        PropError
            When the image is not published in the stack's region.
        """
        stack = cdk.Stack.of(scope)
        if self.accounts is None:
            return stack.account
        table = dict(self.accounts)
        region = stack.region
        if not cdk.Token.is_unresolved(region):
            faults = Faults(f"image {self.repository}")
            faults.unless(region in table, "region", f"be one of {sorted(table)}", region)
            faults.raise_any()
            return table[region]
        return self._mapping(stack, table).find_in_map(cdk.Aws.REGION, "Account")

    def uri(self, scope: Construct) -> str:
        """Return the image URI for the stack's region and partition."""
        separator = "@" if self.tag.startswith("sha256:") else ":"
        host = f"{self.account(scope)}.dkr.ecr.{cdk.Aws.REGION}.{cdk.Aws.URL_SUFFIX}"
        return f"{host}/{self.repository}{separator}{self.tag}"

    def repository_arn(self, scope: Construct) -> str:
        """Return the repository's ARN, for the pull permission."""
        return cdk.Stack.of(scope).format_arn(
            service="ecr", resource="repository", resource_name=self.repository, account=self.account(scope)
        )

    def _mapping(self, stack: cdk.Stack, table: dict[str, str]) -> cdk.CfnMapping:
        id = "Images" + "".join(part.capitalize() for part in self.repository.replace("/", "-").split("-"))
        existing = stack.node.try_find_child(id)
        if isinstance(existing, cdk.CfnMapping):
            return existing
        return cdk.CfnMapping(stack, id, mapping={region: {"Account": table[region]} for region in table})
