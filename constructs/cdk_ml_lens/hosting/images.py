"""InferenceImage: the registry account of each region for the framework images that AWS publishes."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from constructs import Construct

from cdk_ml_lens.core.errors import Faults

SKLEARN_REPOSITORY = "sagemaker-scikit-learn"
SKLEARN_VERSION = "1.9-0"
# Checked against the SageMaker Python SDK in tests/contract/test_image_table.py.
SKLEARN_ACCOUNTS = {
    "af-south-1": "510948584623",
    "ap-east-1": "651117190479",
    "ap-northeast-1": "354813040037",
    "ap-northeast-2": "366743142698",
    "ap-northeast-3": "867004704886",
    "ap-south-1": "720646828776",
    "ap-south-2": "628508329040",
    "ap-southeast-1": "121021644041",
    "ap-southeast-2": "783357654285",
    "ap-southeast-3": "951798379941",
    "ap-southeast-4": "106583098589",
    "ca-central-1": "341280168497",
    "ca-west-1": "190319476487",
    "cn-north-1": "450853457545",
    "cn-northwest-1": "451049120500",
    "eu-central-1": "492215442770",
    "eu-central-2": "680994064768",
    "eu-north-1": "662702820516",
    "eu-south-1": "978288397137",
    "eu-south-2": "104374241257",
    "eu-west-1": "141502667606",
    "eu-west-2": "764974769150",
    "eu-west-3": "659782779980",
    "il-central-1": "898809789911",
    "me-central-1": "272398656194",
    "me-south-1": "801668240914",
    "sa-east-1": "737474898029",
    "us-east-1": "683313688378",
    "us-east-2": "257758044811",
    "us-gov-east-1": "237065988967",
    "us-gov-west-1": "414596584902",
    "us-west-1": "746614075791",
    "us-west-2": "246618743249",
}


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
            repository=SKLEARN_REPOSITORY, tag=f"{version}-cpu-py3", accounts=tuple(SKLEARN_ACCOUNTS.items())
        )

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
