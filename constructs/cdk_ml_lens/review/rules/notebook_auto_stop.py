"""NB4: notebook instances have a lifecycle configuration that can stop them."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find notebook instances without a lifecycle configuration; what its script does is not read."""
    for one in template.of_type("AWS::SageMaker::NotebookInstance"):
        if one.get("LifecycleConfigName") is None:
            yield Finding(logical_id=one.logical_id, message="LifecycleConfigName is not set: nothing stops it")


RULE = Rule(
    id="NB4",
    title="Notebook instances stop when idle",
    practices=("MLCOST04-BP08", "MLSUS03-BP01"),
    severity=Severity.WARNING,
    explanation="A notebook instance runs, and costs, until somebody stops it.",
    fix="Set LifecycleConfigName to a configuration that stops an idle instance on a timer.",
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/notebook-lifecycle-config.html",
    check=check,
)
