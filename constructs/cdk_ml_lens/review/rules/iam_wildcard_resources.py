"""IAM3: every resource only where IAM knows no narrower one."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import statements
from cdk_ml_lens.review.resourceless import takes_a_resource
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find actions on ``*`` that IAM could hold to one resource; a condition counts as narrower."""
    for statement in statements.of(template):
        if not statement.allows or "*" not in statement.resources or statement.condition:
            continue
        for action in filter(takes_a_resource, statement.actions):
            yield Finding(
                logical_id=statement.owner.logical_id,
                message=f"allows {action} on every resource of the account",
                detail=f"Action::{action}",
            )


RULE = Rule(
    id="IAM3",
    title="Statements name their resources",
    practices=("MLSEC03-BP01",),
    severity=Severity.ERROR,
    explanation="A job that needs one bucket, and may read all, leaks them all when its code or its input is bad.",
    fix="Name the ARNs in Resource; keep * for actions without a resource type, in a statement of their own.",
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html",
    check=check,
)
