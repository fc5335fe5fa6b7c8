"""Trust in a service that works for this account only."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct


def of_this_account(scope: Construct, service: str) -> iam.ServicePrincipal:
    """Return a service as the principal that takes a role, for resources of the stack's account only.

    Parameters
    ----------
    scope : Construct
        Any construct of the stack.
    service : str
        Service principal: ``states.amazonaws.com``.

    Notes
    -----
    For services whose guide shows the condition in a trust policy; a service that sends no account could not take
    the role. Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    Lens best practice MLSEC03-BP01.
    """
    own = {"StringEquals": {"aws:SourceAccount": cdk.Stack.of(scope).account}}
    return iam.ServicePrincipal(service, conditions=own)
