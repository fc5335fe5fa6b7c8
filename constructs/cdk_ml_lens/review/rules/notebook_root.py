"""NB2: users of notebook instances are not root."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find notebook instances on which the default, or the template, gives root."""
    for one in template.of_type("AWS::SageMaker::NotebookInstance"):
        if one.get("RootAccess", "Enabled") == "Enabled":
            yield Finding(logical_id=one.logical_id, message="RootAccess is not Disabled")


RULE = Rule(
    id="NB2",
    title="Notebook users are not root",
    practices=("MLSEC03-BP01", "MLSEC03-BP02"),
    severity=Severity.ERROR,
    explanation="A root user can switch off what watches the notebook, and read what other users left.",
    fix="Set RootAccess to Disabled; lifecycle configurations still run as root.",
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/nbi-root-access.html",
    check=check,
)
