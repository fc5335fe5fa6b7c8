"""ContainerImage: repository, tag, and the account that publishes it in each region."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from constructs import Construct

from cdk_ml_lens.core.errors import Faults


@dataclass(frozen=True, kw_only=True)
class ContainerImage:
    """A container image in Amazon ECR.

    Parameters
    ----------
    repository : str
        ECR repository.
    tag : str
        Image tag, or ``sha256:…`` digest.
    accounts : tuple of (region, account), optional
        Publisher by region. Default: the stack's own account.

    Raises
    ------
    PropError
        When repository or tag is empty, or the tag is ``latest``.
    """

    repository: str
    tag: str
    accounts: tuple[tuple[str, str], ...] | None = None

    def __post_init__(self) -> None:
        faults = Faults("container image")
        faults.unless(bool(self.repository), "repository", "not be empty", self.repository)
        faults.unless(bool(self.tag), "tag", "not be empty", self.tag)
        faults.unless(self.tag != "latest", "tag", "name one version", self.tag, "a digest is best")
        faults.raise_any()

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
