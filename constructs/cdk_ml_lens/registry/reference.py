"""RegistryReference: what needs only the names of a registry, for registries of ours and those of other stacks."""

from __future__ import annotations

import re

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.nag import acknowledge, finding_of
from cdk_ml_lens.registry.approval import ApprovalPolicy

MANIFESTS = "manifests"
_GROUP_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_READ = ("DescribeModelPackage", "ListModelPackages")


def check_group_name(name: str | None) -> None:
    """Raise a `PropError` when SageMaker AI would refuse the name of a model package group.

    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackageGroup.html
    """
    if name is None or cdk.Token.is_unresolved(name):
        return
    faults = Faults("model registry")
    legal = _GROUP_NAME.fullmatch(name) is not None
    faults.unless(legal, "group_name", "be 1 to 63 of A-Z a-z 0-9 - and no - at an end", name)
    faults.raise_any()


class RegistryReference:
    """A registry by its names: grants, and where its manifests lie.

    Parameters
    ----------
    scope : Construct
        Any construct of the stack, for the ARNs.
    group_name : str
        Model package group.
    bucket : IBucket
        Artifacts, evaluations and manifests.
    encryption_key : IKey
        Key of the bucket.
    approval : ApprovalPolicy, optional
        How versions are approved. Default: by a person, within 30 days.
    account : str, optional
        Account of the group, if another one shares it. Default: the stack's own.

    Attributes
    ----------
    shared : bool
        Whether another account shares it; it is then read, never written.

    Raises
    ------
    PropError
        When SageMaker AI would refuse the name.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        group_name: str,
        bucket: s3.IBucket,
        encryption_key: kms.IKey,
        approval: ApprovalPolicy | None = None,
        account: str | None = None,
    ) -> None:
        check_group_name(group_name)
        self._scope = scope
        self.group_name = group_name
        self.shared = account is not None
        self.bucket = bucket
        self.encryption_key = encryption_key
        self.approval = ApprovalPolicy.manual() if approval is None else approval
        self.group_arn = self._arn("model-package-group", group_name, account)
        # SageMaker AI writes the group in lower case into the ARNs of its versions, and IAM compares by case.
        in_arns = group_name if cdk.Token.is_unresolved(group_name) else group_name.lower()
        self.packages_arn = self._arn("model-package", f"{in_arns}/*", account)

    @property
    def approval_status(self) -> str:
        """Status that a new version is registered with: ``PendingManualApproval`` or ``Approved``."""
        return self.approval.status

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to list and describe versions, and to read artifacts, evaluations and manifests."""
        self.grant_artifacts(grantee)
        grants.allow(grantee, ["s3:ListBucket"], [self.bucket.bucket_arn])
        return self._packages(grantee, *_READ)

    def grant_write(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to add artifacts and evaluations to the bucket, not to read them; multipart uploads need the key."""
        grants.use_key(grantee, self.encryption_key, "kms:GenerateDataKey", "kms:Decrypt")
        actions = ["s3:PutObject", "s3:AbortMultipartUpload"]
        return grants.allow(grantee, actions, [self._objects("*", grantee)])

    def grant_register(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to create a version, to read all of them, and to write evaluations and manifests."""
        self.grant_read(grantee)
        self.grant_write(grantee)
        return self._packages(grantee, "CreateModelPackage")

    def grant_approve(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to approve and reject versions."""
        return self._packages(grantee, *_READ, "UpdateModelPackage")

    def grant_artifacts(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to read artifacts and nothing about versions: what an endpoint's role needs."""
        grants.use_key(grantee, self.encryption_key, "kms:Decrypt")
        return grants.allow(grantee, ["s3:GetObject"], [self._objects("*", grantee)])

    def grant_record(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to read and replace manifests: a deployment writes down who approved it."""
        manifests = self._objects(f"{MANIFESTS}/*", grantee)
        grants.use_key(grantee, self.encryption_key, "kms:GenerateDataKey", "kms:Decrypt")
        return grants.allow(grantee, ["s3:GetObject", "s3:PutObject"], [manifests])

    def _packages(self, grantee: iam.IGrantable, *actions: str) -> iam.Grant:
        """Allow actions on the versions: IAM has no other resource for them, not even to list or to create one.

        Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html
        """
        _explain(grantee, self.packages_arn, "A version gets its number when it is registered.")
        return grants.allow(grantee, [f"sagemaker:{action}" for action in actions], [self.packages_arn])

    def _objects(self, keys: str, grantee: iam.IGrantable) -> str:
        objects = self.bucket.arn_for_objects(keys)
        _explain(grantee, objects, "Objects of the registry are named after executions and versions.")
        return objects

    def _arn(self, resource: str, name: str, account: str | None) -> str:
        written = name if cdk.Token.is_unresolved(name) else name.lower()  # as SageMaker AI writes its ARNs
        return cdk.Stack.of(self._scope).format_arn(
            service="sagemaker", resource=resource, resource_name=written, account=account
        )


def _explain(grantee: iam.IGrantable, resource: str, reason: str) -> None:
    """Acknowledge a resource with a wildcard, where the grantee is a role of this app."""
    if isinstance(grantee, Construct):
        acknowledge(grantee, f"IAM5[{finding_of(grantee, resource)}]", reason)
