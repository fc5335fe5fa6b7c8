"""What constructs need of each other, as structural protocols: no inheritance, no ARNs passed by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam


class InvocableEndpoint(Protocol):
    """A SageMaker AI endpoint that somebody may invoke; `ModelEndpoint` and its imports are such."""

    @property
    def endpoint_name(self) -> str:
        """Name of the endpoint."""
        ...

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow ``sagemaker:InvokeEndpoint`` on this endpoint only."""
        ...


class ReadingAction(Protocol):
    """What happens with an anomalous reading: notify, command the device, invoke something."""

    def bind(self, scorer: iam.Role) -> Mapping[str, str]:
        """Grant the scorer what the action needs; return its descriptor for the handler."""
        ...


class PrivateNetwork(Protocol):
    """Where containers and functions live when they live in a VPC; `IsolatedNetwork` is such."""

    @property
    def vpc(self) -> ec2.IVpc:
        """The VPC."""
        ...

    @property
    def subnets(self) -> ec2.SubnetSelection:
        """The private subnets of the VPC to use."""
        ...

    @property
    def security_group(self) -> ec2.ISecurityGroup:
        """Security group of whatever is placed there."""
        ...
