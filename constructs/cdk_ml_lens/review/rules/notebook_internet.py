"""NB3: notebook instances have no direct internet access."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find notebook instances on which the default, or the template, gives internet access."""
    for one in template.of_type("AWS::SageMaker::NotebookInstance"):
        if one.get("DirectInternetAccess", "Enabled") == "Enabled":
            yield Finding(logical_id=one.logical_id, message="DirectInternetAccess is not Disabled")


RULE = Rule(
    id="NB3",
    title="Notebook instances have no direct internet access",
    practices=("MLSEC03-BP02",),
    severity=Severity.ERROR,
    explanation="With a way out that no security group sees, data leaves unnoticed.",
    fix="Set DirectInternetAccess to Disabled, with SubnetId and SecurityGroupIds.",
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/appendix-notebook-and-internet-access.html",
    check=check,
)
