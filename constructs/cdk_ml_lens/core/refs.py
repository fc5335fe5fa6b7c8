"""What constructs need of each other, as structural protocols: no inheritance, no ARNs passed by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3


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


class VersionRegistry(Protocol):
    """Where model versions are registered; `ModelRegistry` and its references are such."""

    @property
    def group_name(self) -> str:
        """Name of the model package group."""
        ...

    @property
    def group_arn(self) -> str:
        """ARN of the model package group."""
        ...

    @property
    def packages_arn(self) -> str:
        """ARN of every version of the group, with ``*`` for the number."""
        ...

    @property
    def bucket(self) -> s3.IBucket:
        """Artifacts, evaluations and manifests."""
        ...

    @property
    def encryption_key(self) -> kms.IKey:
        """Key of the bucket."""
        ...

    @property
    def approval_status(self) -> str:
        """Status that a new version is registered with: ``PendingManualApproval`` or ``Approved``."""
        ...

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to list and describe versions, and to read the bucket."""
        ...

    def grant_write(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to add artifacts and evaluations to the bucket."""
        ...

    def grant_register(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to create a version, to read all of them, and to write evaluations and manifests."""
        ...
