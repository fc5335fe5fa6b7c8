"""SecureWorkbench: a notebook instance or a Studio domain that is reached through VPC endpoints only."""

from __future__ import annotations

import re
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.keys import key_or_new
from cdk_ml_lens.core.refs import PrivateNetwork
from cdk_ml_lens.core.removal import removal_policy as resolve_removal_policy
from cdk_ml_lens.training.workbench_door import doors_of, open_only_through
from cdk_ml_lens.training.workbench_notebook import NotebookInstance
from cdk_ml_lens.training.workbench_role import WorkbenchRole
from cdk_ml_lens.training.workbench_studio import StudioDomain
from cdk_ml_lens.training.workbench_values import Workbench

_USER = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


class SecureWorkbench(Construct):
    """Where somebody explores data: private subnets, no internet, no root, encrypted, stopped when idle.

    Parameters
    ----------
    scope, id
        As for every construct.
    workbench : Workbench
        `Workbench.notebook` or `Workbench.studio`.
    network : PrivateNetwork
        Where it runs; an `IsolatedNetwork` with ``PrivateService.for_workbench(...)``, or a `NetworkReference`.
    doors : sequence of str, optional
        Ids of the interface endpoints that it is opened through: of the SageMaker API and of the notebook or Studio.
        Default: those of the `IsolatedNetwork`.
    encryption_key : IKey, optional
        Customer managed key of volumes and home directories. Default: a new one.
    removal_policy : RemovalPolicy, optional
        Of the instance or domain, which hold work. Default: retain. ``DESTROY`` also takes the context flag
        ``cdk-ml-lens:removeDataOnDestroy``.

    Attributes
    ----------
    role : Role
        Execution role of the notebook instance; in Studio, that of the domain, for users without one of their own.

    Raises
    ------
    PropError
        When there is no endpoint to open it through.

    Notes
    -----
    Lens best practices MLSEC03-BP02, MLSEC03-BP01, MLSEC02-BP01 and MLCOST04-BP08.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        workbench: Workbench,
        network: PrivateNetwork,
        doors: Sequence[str] | None = None,
        encryption_key: kms.IKey | None = None,
        removal_policy: cdk.RemovalPolicy | None = None,
    ) -> None:
        self._doors = doors_of(network, workbench.kind, doors)
        super().__init__(scope, id)
        self.workbench = workbench
        self._users: dict[str, sagemaker.CfnUserProfile] = {}
        self._key = key_or_new(self, encryption_key, description="Encrypts a workbench's volumes and home directories")
        self._home: NotebookInstance | StudioDomain
        if workbench.kind == "notebook":
            self._home = NotebookInstance(
                self, "Instance", workbench=workbench, network=network, encryption_key=self._key
            )
        else:
            self._home = StudioDomain(self, "Studio", workbench=workbench, network=network, encryption_key=self._key)
        self.role = self._home.role.role
        self._home.resource.apply_removal_policy(resolve_removal_policy(self, removal_policy))

    def add_data(self, bucket: s3.IBucket, *, prefix: str = "", writes: bool = False) -> None:
        """Let the execution role read, and perhaps write, below a prefix of a bucket; its key comes with it.

        Parameters
        ----------
        bucket : IBucket
            The bucket.
        prefix : str
            Without a slash at either end. Default: the whole bucket.
        writes : bool
            Default: read only.
        """
        _check_prefix(prefix)
        self._home.role.reach(bucket, prefix=prefix, writes=writes)

    def add_user(self, name: str) -> WorkbenchRole:
        """Make a user of the domain with an execution role of their own, and return it for its ``reach``.

        Parameters
        ----------
        name : str
            1 to 63 of A-Z a-z 0-9 and -. Source:
            https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateUserProfile.html

        Raises
        ------
        PropError
            When this is a notebook instance, or SageMaker AI would refuse the name, or there is such a user.
        """
        faults = Faults("secure workbench")
        legal = isinstance(name, str) and _USER.fullmatch(name) is not None and name not in self._users
        faults.unless(legal, "name", "be 1 to 63 of A-Z a-z 0-9 - , and new", name)
        faults.unless(isinstance(self._home, StudioDomain), "add_user", "be for Studio", self.workbench.kind)
        faults.raise_any()
        assert isinstance(self._home, StudioDomain)
        role = WorkbenchRole(self, f"User-{name}", studio=True, encryption_key=self._key)
        profile = sagemaker.CfnUserProfile(
            role,
            "Profile",
            domain_id=self._home.resource.attr_domain_id,
            user_profile_name=name,
            user_settings=sagemaker.CfnUserProfile.UserSettingsProperty(execution_role=role.role.role_arn),
        )
        profile.node.add_dependency(role.role)
        self._users[name] = profile
        return role

    def grant_open(self, grantee: iam.IGrantable, *, user: str | None = None) -> iam.Grant:
        """Allow to open the workbench through its endpoints; a Deny keeps every other way shut.

        Parameters
        ----------
        grantee : IGrantable
            Who works there. In Studio, let only this person assume it.
        user : str, optional
            User of the domain, made by `add_user`. Not for notebook instances.

        Raises
        ------
        PropError
            When the domain has no such user, or a notebook instance is asked for one.
        """
        faults = Faults("secure workbench")
        if isinstance(self._home, NotebookInstance):
            faults.unless(user is None, "user", "be for Studio only", user)
            faults.raise_any()
            actions = [f"sagemaker:{verb}NotebookInstance" for verb in ("Describe", "Start", "Stop")]
            presigned, resource = "sagemaker:CreatePresignedNotebookInstanceUrl", self._home.resource.ref
        else:
            faults.unless(user in self._users, "user", f"be one of {sorted(self._users)}", user, "add_user makes one")
            faults.raise_any()
            actions = ["sagemaker:DescribeUserProfile"]
            presigned, resource = "sagemaker:CreatePresignedDomainUrl", self._users[str(user)].attr_user_profile_arn
        return open_only_through(grantee, self._doors, actions=actions, presigned=presigned, resource=resource)


def _check_prefix(prefix: str) -> None:
    faults = Faults("secure workbench")
    plain = isinstance(prefix, str) and prefix == prefix.strip("/") and "*" not in prefix
    faults.unless(plain, "prefix", "have no slash at an end and no wildcard", prefix)
    faults.raise_any()
