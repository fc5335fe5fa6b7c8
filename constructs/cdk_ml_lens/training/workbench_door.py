"""The only way into a workbench: presigned URLs that are made, and used, through named interface endpoints."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_iam as iam

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.nag import explain_policy
from cdk_ml_lens.core.refs import PrivateNetwork
from cdk_ml_lens.network.isolated_network import IsolatedNetwork

_API = "sagemaker.api"


def doors_of(network: PrivateNetwork, kind: str, given: Sequence[str] | None) -> tuple[str, ...]:
    """Return the ids of the interface endpoints that a workbench is opened through.

    Parameters
    ----------
    network : PrivateNetwork
        An `IsolatedNetwork` knows its own.
    kind : str
        ``notebook`` or ``studio``: the PrivateLink service that the URL leads to.
    given : sequence of str or None
        What the caller named.

    Raises
    ------
    PropError
        When there is none, or the network lacks one.
    """
    faults = Faults("secure workbench")
    if given is not None:
        texts = bool(given) and not isinstance(given, str) and all(isinstance(door, str) and door for door in given)
        faults.unless(texts, "doors", "be ids of interface endpoints", given)
        faults.raise_any()
        return tuple(given)
    hint = f"give ids of the endpoints {_API} and {kind}, or an IsolatedNetwork with PrivateService.for_workbench"
    known = isinstance(network, IsolatedNetwork)
    faults.unless(known, "doors", "be given for a network that is not an IsolatedNetwork", given, hint)
    faults.raise_any()
    assert isinstance(network, IsolatedNetwork)
    missing = [name for name in (_API, kind) if name not in network.endpoints]
    faults.unless(not missing, "network", f"have the endpoints {_API} and {kind}", sorted(network.endpoints), hint)
    faults.raise_any()
    return tuple(network.endpoints[name].ref for name in (_API, kind))


def open_only_through(
    grantee: iam.IGrantable, doors: Sequence[str], *, actions: Sequence[str], presigned: str, resource: str
) -> iam.Grant:
    """Allow ``actions`` through the doors, and deny the presigned URL everywhere else, whatever other policies say.

    SageMaker AI checks both statements again for each request and frame that uses the URL. Sources:
    https://docs.aws.amazon.com/sagemaker/latest/dg/notebook-interface-endpoint.html,
    https://docs.aws.amazon.com/sagemaker/latest/dg/studio-interface-endpoint.html
    """
    outside = iam.PolicyStatement(
        effect=iam.Effect.DENY,
        actions=[presigned],
        resources=[resource],
        conditions={"StringNotEquals": {"aws:SourceVpce": [*doors]}},
    )
    explain_policy(grantee)
    grantee.grant_principal.add_to_principal_policy(outside)
    return iam.Grant.add_to_principal(
        grantee=grantee,
        actions=[presigned, *actions],
        resource_arns=[resource],
        conditions={"StringEquals": {"aws:SourceVpce": [*doors]}},
    )
