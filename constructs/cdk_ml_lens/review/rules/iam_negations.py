"""IAM7: nothing is allowed by leaving something out."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import statements
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find ``NotAction`` and ``NotResource`` in statements that allow; in a Deny they are sound."""
    for statement in statements.of(template):
        if not statement.allows:
            continue
        for element, values in (("NotAction", statement.not_actions), ("NotResource", statement.not_resources)):
            if values:
                yield Finding(
                    logical_id=statement.owner.logical_id,
                    message=f"allows everything but {element} {', '.join(values)}",
                    detail=element,
                )


RULE = Rule(
    id="IAM7",
    title="No Allow with NotAction or NotResource",
    practices=("MLSEC03-BP01",),
    severity=Severity.ERROR,
    explanation="All that nobody thought of is allowed, and all that AWS or a colleague adds later.",
    fix="List what is allowed in Action and Resource; use NotAction and NotResource with Effect Deny only.",
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html",
    check=check,
)
