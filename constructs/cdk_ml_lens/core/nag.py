"""Granular acknowledgements and explanations of cdk-nag findings, written next to the line that causes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

import aws_cdk as cdk
from constructs import Construct, IConstruct

from cdk_ml_lens.core import sources

_ONE_TO_ONE = {
    "IAMNoInlinePolicy": "The policy is of one principal, is made, changed and deleted with it, and cannot be attached "
    "to another: what IAM advises inline policies for. Actions and resources are exact. No prop makes it a managed "
    "policy; a role that you bring yourself may have one."
}
_EXPLAINED: WeakKeyDictionary[Any, dict[str, str]] = WeakKeyDictionary()


def acknowledge(construct: IConstruct, rule: str, reason: str, *, pack: str = "AwsSolutions") -> None:
    """Acknowledge one finding on one construct.

    Parameters
    ----------
    construct : IConstruct
        The construct that has the finding, or an ancestor of it.
    rule : str
        Rule and, where the pack reports findings, the finding: ``IAM5[Resource::*]``.
    reason : str
        Why it is right here, and what would remove it.
    pack : str
        Pack of the rule. Default: ``AwsSolutions``.

    Notes
    -----
    The id is qualified (``Pack::Pack-Rule``): only then does the finding stay visible, with its reason, in
    ``cdk.out/validation-report.json``.
    """
    sources.note(construct, f"{pack}::{pack}-{rule}")
    cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=f"{pack}::{pack}-{rule}", reason=reason))


def explain(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Note why findings of packs that are rarely on do not apply, or which prop turns them off.

    Nothing crosses to the jsii kernel: `cdk_ml_lens.review.packs.add_packs` turns the notes into acknowledgements for
    those of Serverless, HIPAA.Security, NIST.800.53.R5 and PCI.DSS.321 that are on. For AwsSolutions, acknowledge.

    Parameters
    ----------
    construct : IConstruct
        The construct that has the findings, or an ancestor of it.
    reasons : mapping of str to str
        Rule, without the name of a pack (``LambdaInsideVPC``), to reason.

    Notes
    -----
    A second reason for the same rule and construct takes the place of the first. The construct must have been made in
    Python: what another construct returns, such as ``api.deployment_stage``, is a new Python object each time.
    """
    _EXPLAINED.setdefault(construct, {}).update(reasons)
    for rule in reasons:
        sources.note(construct, rule)


def explain_policy(owner: object) -> None:
    """Note why a principal, or a policy, of ours is inline: it serves one principal and goes with it.

    Parameters
    ----------
    owner : object
        What has the policy; nothing is noted for principals that are no construct.

    Notes
    -----
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies-choosing-managed-or-inline.html
    """
    if isinstance(owner, Construct):
        explain(owner, _ONE_TO_ONE)


def explanations(construct: IConstruct) -> Mapping[str, str]:
    """Return the reasons noted on this construct itself, by rule."""
    return _EXPLAINED.get(construct, {})


def finding_of(construct: IConstruct, resource: str) -> str:
    """Return the ``Resource::…`` finding id that cdk-nag gives to a policy resource.

    Parameters
    ----------
    construct : IConstruct
        Any construct of the stack, to resolve tokens.
    resource : str
        Resource of the statement, tokens included.
    """
    return f"Resource::{_flatten(cdk.Stack.of(construct).resolve(resource))}"


def _flatten(value: Any) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    ((function, argument),) = value.items()
    if function == "Ref":
        return f"<{argument}>"
    if function == "Fn::GetAtt":
        return f"<{'.'.join(argument)}>"
    if function == "Fn::Join":
        return "".join(_flatten(part) for part in argument[1])
    raise TypeError(f"no cdk-nag finding id is known for {function}")
