"""NB1: volumes of notebook instances have a customer managed key."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find notebook instances without a key."""
    for one in template.of_type("AWS::SageMaker::NotebookInstance"):
        if one.get("KmsKeyId") is None:
            yield Finding(logical_id=one.logical_id, message="KmsKeyId is not set")


RULE = Rule(
    id="NB1",
    title="Notebook instances are encrypted with a customer managed key",
    practices=("MLSEC02-BP01",),
    severity=Severity.ERROR,
    explanation="Work in progress, samples of data and credentials lie on a notebook's volume.",
    fix="Set KmsKeyId of the notebook instance.",
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/encryption-at-rest-nbi.html",
    check=check,
)
