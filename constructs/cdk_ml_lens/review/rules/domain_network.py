"""NB6: Studio domains reach the network through your VPC only."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template

_DEFAULT = "PublicInternetOnly"


def check(template: Template) -> Iterator[Finding]:
    """Find domains whose traffic takes the default way."""
    for one in template.of_type("AWS::SageMaker::Domain"):
        if one.get("AppNetworkAccessType", _DEFAULT) == _DEFAULT:
            yield Finding(logical_id=one.logical_id, message="AppNetworkAccessType is not VpcOnly")


RULE = Rule(
    id="NB6",
    title="Studio domains reach the network through your VPC only",
    practices=("MLSEC03-BP02", "MLSEC04-BP01"),
    severity=Severity.ERROR,
    explanation="By default Studio goes to the internet through a VPC of AWS, where no control of yours applies.",
    fix="Set AppNetworkAccessType to VpcOnly.",
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/studio-notebooks-and-internet-access.html",
    check=check,
)
