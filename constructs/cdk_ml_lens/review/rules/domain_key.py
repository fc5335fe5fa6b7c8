"""NB7: file systems of Studio domains have a customer managed key."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find domains without a key."""
    for one in template.of_type("AWS::SageMaker::Domain"):
        if one.get("KmsKeyId") is None:
            yield Finding(logical_id=one.logical_id, message="KmsKeyId is not set")


RULE = Rule(
    id="NB7",
    title="Studio domains are encrypted with a customer managed key",
    practices=("MLSEC02-BP01",),
    severity=Severity.ERROR,
    explanation="The file system of a domain holds the work of all its users; its key cannot be set later.",
    fix="Set KmsKeyId of the domain when it is created.",
    source="https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateDomain.html",
    check=check,
)
