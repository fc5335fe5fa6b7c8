"""Two-step data protection: destroying stateful resources takes the prop and a context flag."""

from __future__ import annotations

from aws_cdk import Annotations, RemovalPolicy
from constructs import Construct

REMOVE_DATA_CONTEXT = "cdk-ml-lens:removeDataOnDestroy"


def removal_policy(scope: Construct, requested: RemovalPolicy | None) -> RemovalPolicy:
    """Return the removal policy for a stateful resource.

    Parameters
    ----------
    scope : Construct
        Construct that owns the resource; a warning is attached to it when the request is not honoured.
    requested : RemovalPolicy or None
        The caller's prop. ``None`` means: retain.

    Returns
    -------
    RemovalPolicy
        ``DESTROY`` only if asked for *and* the context flag ``cdk-ml-lens:removeDataOnDestroy`` is true.

    Notes
    -----
    Lens best practice MLREL05-BP02: what a rebuild needs must survive a mistaken delete.
    """
    if requested is None:
        return RemovalPolicy.RETAIN
    if requested is not RemovalPolicy.DESTROY:
        return requested
    if scope.node.try_get_context(REMOVE_DATA_CONTEXT) in (True, "true"):
        return RemovalPolicy.DESTROY
    Annotations.of(scope).add_warning_v2(
        "cdk-ml-lens:dataRetained",
        f"removal_policy DESTROY is ignored and the data retained: set the context {REMOVE_DATA_CONTEXT}=true as well.",
    )
    return RemovalPolicy.RETAIN
