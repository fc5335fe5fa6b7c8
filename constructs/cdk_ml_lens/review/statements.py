"""IAM statements of a template: who may do what, wherever the template says it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cdk_ml_lens.review import intrinsics
from cdk_ml_lens.review.template import Resource, Template

_INLINE = ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group")
_POLICIES = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::UserPolicy", "AWS::IAM::RolePolicy")


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of an identity's policy.

    Parameters
    ----------
    owner : Resource
        The policy, or the role, user or group with an inline policy, that holds it.
    effect : str
        ``Allow`` or ``Deny``.
    actions, not_actions, resources, not_resources : tuple of str
        As text, see `intrinsics.text`; a single value counts as a list of one.
    condition : mapping
        Empty if there is none.
    services : tuple of str
        Service principals, in trust and resource policies: ``sagemaker.amazonaws.com``.
    """

    owner: Resource
    effect: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    resources: tuple[str, ...]
    not_resources: tuple[str, ...]
    condition: Mapping[str, Any]
    services: tuple[str, ...] = ()

    @property
    def allows(self) -> bool:
        """Whether it allows, and does not deny."""
        return self.effect == "Allow"

    @property
    def condition_keys(self) -> frozenset[str]:
        """Keys that the condition asks for, operators among them, in lower case: ``aws:sourceaccount``."""
        return frozenset(_keys(self.condition))


def of(template: Template) -> tuple[Statement, ...]:
    """Return the statements of roles, users, groups and policies; resource policies and trust are not among them."""
    if __name__ not in template.memo:
        template.memo[__name__] = tuple(_find(template))
    found: tuple[Statement, ...] = template.memo[__name__]
    return found


def _find(template: Template) -> Iterator[Statement]:
    for resource in template.of_type(*_INLINE):
        for policy in resource.each("Policies"):
            yield from read(resource, policy.get("PolicyDocument"))
    for resource in template.of_type(*_POLICIES):
        yield from read(resource, resource.get("PolicyDocument"))


def trust(template: Template) -> Iterator[Statement]:
    """Yield the statements of the trust policies: who may take a role."""
    for role in template.of_type("AWS::IAM::Role"):
        yield from read(role, role.get("AssumeRolePolicyDocument"))


def read(owner: Resource, policy: Any) -> Iterator[Statement]:
    """Yield the statements of one policy document, of any kind."""
    found = intrinsics.document(policy) if policy is not None else None
    entries = found.get("Statement") if isinstance(found, Mapping) else None
    for entry in intrinsics.each_value(entries):
        if isinstance(entry, Mapping) and "Effect" in entry:
            yield _statement(owner, entry)


def _statement(owner: Resource, entry: Mapping[str, Any]) -> Statement:
    def texts(name: str) -> tuple[str, ...]:
        return tuple(intrinsics.text(value) for value in intrinsics.each_value(entry.get(name)))

    return Statement(
        owner=owner,
        effect=str(entry["Effect"]),
        actions=texts("Action"),
        not_actions=texts("NotAction"),
        resources=texts("Resource"),
        not_resources=texts("NotResource"),
        condition=_condition(entry.get("Condition")),
        services=_services(entry.get("Principal")),
    )


def _keys(value: Any) -> Iterator[str]:
    """Yield every key below a condition, so that those inside ``Fn::If`` count."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key).lower()
            yield from _keys(inner)
    elif isinstance(value, list):
        for item in value:
            yield from _keys(item)


def _condition(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _services(principal: Any) -> tuple[str, ...]:
    given = principal.get("Service") if isinstance(principal, Mapping) else None
    return tuple(intrinsics.text(service) for service in intrinsics.each_value(given))
