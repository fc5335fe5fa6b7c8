"""IAM2: no statement allows every action, or every action of a service."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import statements
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find ``*`` and ``service:*`` among the allowed actions."""
    for statement in statements.of(template):
        for action in statement.actions if statement.allows else ():
            if action == "*" or action.endswith(":*"):
                yield Finding(
                    logical_id=statement.owner.logical_id,
                    message=f"allows {action}",
                    detail=f"Action::{action}",
                )


RULE = Rule(
    id="IAM2",
    title="Statements name their actions",
    practices=("MLSEC03-BP01",),
    severity=Severity.ERROR,
    explanation="A whole service includes deleting data, changing policies, and every action that AWS adds later.",
    fix="List the actions that are called in Action.",
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
    check=check,
)
