"""IAM4: a role is passed by name, to one service."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import statements
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find ``iam:PassRole`` with a wildcard in its resource, or without the condition on the service."""
    for statement in statements.of(template):
        if not statement.allows or "iam:passrole" not in map(str.lower, statement.actions):
            continue
        for resource in statement.resources:
            if "*" in resource:
                yield Finding(
                    logical_id=statement.owner.logical_id,
                    message=f"passes any role of {resource}",
                    detail=f"Resource::{resource}",
                )
        if "iam:passedtoservice" not in statement.condition_keys:
            yield Finding(
                logical_id=statement.owner.logical_id,
                message="passes a role to any service: no condition on iam:PassedToService",
                detail="Condition",
            )


RULE = Rule(
    id="IAM4",
    title="PassRole names the role and the service",
    practices=("MLSEC03-BP01",),
    severity=Severity.ERROR,
    explanation="Who may pass any role to any service can start a job with the rights of the strongest role.",
    fix="Put the role's ARN in Resource, and StringEquals iam:PassedToService with the service in Condition.",
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html",
    check=check,
)
