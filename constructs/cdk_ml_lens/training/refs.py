"""What training needs of the lake below and the registry above it, as structural protocols."""

from __future__ import annotations

from typing import Protocol

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3


class Datasets(Protocol):
    """Where versioned datasets lie; `DatasetSource` and `TrainingDataset` are such."""

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to read and list manifests and files."""
        ...


class RunTracking(Protocol):
    """Where training scripts log runs; `MlflowTracking` is such."""

    @property
    def arn(self) -> str:
        """MLflow's tracking URI."""
        ...

    def grant_log(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to log runs."""
        ...


class ModelGroup(Protocol):
    """Where versions of a model are registered; `ModelRegistry` and its imports are such."""

    @property
    def group_name(self) -> str:
        """Name of the model package group."""
        ...

    @property
    def packages_arn(self) -> str:
        """ARN of every version of the group, with ``*`` for the number."""
        ...

    @property
    def bucket(self) -> s3.IBucket:
        """Artifacts, checkpoints, evaluations and manifests."""
        ...

    @property
    def encryption_key(self) -> kms.IKey:
        """Customer managed key of the bucket."""
        ...

    @property
    def approval_status(self) -> str:
        """Status that a new version gets: ``PendingManualApproval`` or ``Approved``."""
        ...

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to list and describe versions, and to read the bucket."""
        ...

    def grant_register(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to create and describe versions, and to write evaluations and manifests."""
        ...

    def grant_approve(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to set the approval status of versions."""
        ...
