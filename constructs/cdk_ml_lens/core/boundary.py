"""One line that puts a permissions boundary on every role and user below a scope, whoever made them."""

from __future__ import annotations

import re

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_ml_lens.core.errors import Faults

BOUNDARY_CONTEXT = "cdk-ml-lens:permissionsBoundary"
_ID = "PermissionsBoundary"
# https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html: name, and path before it in an ARN
_NAME = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)
_ARN = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}|aws):policy/([\x21-\x7e]{0,510}/)?[\w+=,.@-]{1,128}", re.ASCII)


def bound_roles(scope: Construct, *, boundary: str | None = None) -> str | None:
    """Put a permissions boundary on every role and user below ``scope``, also on L1s and CDK's own custom resources.

    Parameters
    ----------
    scope : Construct
        App, stage, stack or construct. What is added to it later is bound too.
    boundary : str, optional
        Name of a managed policy of the deploying account, or an ARN. Default: the context value
        ``cdk-ml-lens:permissionsBoundary``; without that, nothing is bound.

    Returns
    -------
    str or None
        The ARN.

    Raises
    ------
    PropError
        When it is neither the name nor the ARN of a managed policy.

    Notes
    -----
    The policy itself is not made here: who deploys must not be able to change it. Source:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html. Lens best practice MLSEC04-BP01.
    """
    wanted = scope.node.try_get_context(BOUNDARY_CONTEXT) if boundary is None else boundary
    if wanted is None:
        return None
    arn = _arn(scope, wanted)
    policy = iam.ManagedPolicy.from_managed_policy_arn(scope, _ID, arn)
    iam.PermissionsBoundary.of(scope).apply(policy)
    return arn


def _arn(scope: Construct, wanted: object) -> str:
    faults = Faults("permissions boundary")
    text = wanted if isinstance(wanted, str) else ""
    named = _NAME.fullmatch(text) is not None
    legal = named or _ARN.fullmatch(text) is not None or cdk.Token.is_unresolved(text)
    faults.unless(legal, "boundary", "be the name or the ARN of a managed policy", wanted)
    faults.unless(scope.node.try_find_child(_ID) is None, "boundary", "be put on a scope once", wanted)
    faults.raise_any()
    if not named:
        return text
    return f"arn:{cdk.Aws.PARTITION}:iam::{cdk.Aws.ACCOUNT_ID}:policy/{text}"
