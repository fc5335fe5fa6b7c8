"""What the policies of devices and of claim certificates allow, by topic and identity."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cdk_ml_lens.review import statements
from cdk_ml_lens.review.statements import Statement
from cdk_ml_lens.review.template import Resource, Template

_PROVISIONING = ("$aws/certificates/create", "$aws/provisioning-templates/")
_MESSAGES = frozenset({"iot:publish", "iot:receive", "iot:subscribe", "iot:retainpublish"})
_IDENTITY = re.compile(r"\$\{!?iot:(Connection\.Thing\.ThingName|Certificate\.Subject\.)")
_WILDCARD = re.compile(r"[*+#]")


def of_devices(template: Template) -> Iterator[Resource]:
    """Yield the policies that are not for claim certificates."""
    return (policy for policy in template.of_type("AWS::IoT::Policy") if not is_claim(policy))


def of_claims(template: Template) -> Iterator[Resource]:
    """Yield the policies that reach a topic of fleet provisioning."""
    return (policy for policy in template.of_type("AWS::IoT::Policy") if is_claim(policy))


def is_claim(policy: Resource) -> bool:
    """Tell whether a policy lets its certificate register a device: it reaches a topic of fleet provisioning."""
    return any(is_provisioning(resource) for statement in allowed(policy) for resource in statement.resources)


def allowed(policy: Resource) -> Iterator[Statement]:
    """Yield the statements of a policy that allow."""
    return (one for one in statements.read(policy, policy.get("PolicyDocument")) if one.allows)


def is_provisioning(resource: str) -> bool:
    """Tell whether a topic or a topic filter is one of fleet provisioning."""
    return any(topic in resource for topic in _PROVISIONING)


def only_connects(statement: Statement) -> bool:
    """Tell whether a statement is about the connection, not about messages."""
    return not _MESSAGES & set(map(str.lower, statement.actions)) and not any("*" in one for one in statement.actions)


def reaches_others(statement: Statement, resource: str) -> bool:
    """Tell whether a resource takes in other devices: a wildcard, or any client id, and nothing of the own identity.

    A condition that the thing is attached to the certificate holds a connection to its own client id.
    """
    if _IDENTITY.search(resource):
        return False
    if only_connects(statement) and "iot:connection.thing.isattached" in statement.condition_keys:
        return False
    return bool(_WILDCARD.search(resource)) or "iot:ClientId}" in resource
