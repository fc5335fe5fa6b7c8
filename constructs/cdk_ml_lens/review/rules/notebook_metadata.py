"""NB5: notebook instances use version 2 of the instance metadata service."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template

_VERSION = "InstanceMetadataServiceConfiguration.MinimumInstanceMetadataServiceVersion"


def check(template: Template) -> Iterator[Finding]:
    """Find notebook instances that accept version 1, which is the default."""
    for one in template.of_type("AWS::SageMaker::NotebookInstance"):
        if str(one.get(_VERSION, "1")) == "1":
            yield Finding(logical_id=one.logical_id, message="the metadata service accepts version 1")


RULE = Rule(
    id="NB5",
    title="Notebook instances ask for sessions on their metadata service",
    practices=("MLSEC03-BP02",),
    severity=Severity.ERROR,
    explanation="Version 1 of the metadata service hands the role's credentials to any forged request.",
    fix="Set InstanceMetadataServiceConfiguration.MinimumInstanceMetadataServiceVersion to 2.",
    source="https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_InstanceMetadataServiceConfiguration.html",
    check=check,
)
