"""SM2: models in a VPC have subnets in more than one zone."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find models whose list of subnets is known and has one entry."""
    for model in template.of_type("AWS::SageMaker::Model"):
        subnets = model.get("VpcConfig.Subnets")
        if isinstance(subnets, list) and len(subnets) == 1:
            yield Finding(logical_id=model.logical_id, message="VpcConfig.Subnets names one subnet")


RULE = Rule(
    id="SM2",
    title="A model in a VPC has subnets in more than one zone",
    practices=("MLREL05-BP02", "MLSEC03-BP02"),
    severity=Severity.WARNING,
    explanation=(
        "SageMaker AI spreads instances over the zones of the subnets; with one subnet, one zone "
        "takes the endpoint down."
    ),
    fix="Name at least two private subnets in different zones in VpcConfig.Subnets.",
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/host-vpc.html",
    check=check,
)
