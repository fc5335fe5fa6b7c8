"""SM1: models run without any network of their own."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.intrinsics import is_off
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find models whose containers may open connections, and that are not held in a VPC either."""
    for model in template.of_type("AWS::SageMaker::Model"):
        if is_off(model.get("EnableNetworkIsolation")) and model.get("VpcConfig") is None:
            yield Finding(
                logical_id=model.logical_id,
                message="neither EnableNetworkIsolation nor VpcConfig is set: the container reaches the internet",
            )


RULE = Rule(
    id="SM1",
    title="Models have network isolation or a VPC",
    practices=("MLSEC03-BP02",),
    severity=Severity.ERROR,
    explanation="A container runs code of others on your data; with a way out, it can send that data away.",
    fix="Set EnableNetworkIsolation to true, or VpcConfig with private subnets where a service must be reached.",
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/mkt-algo-model-internet-free.html",
    check=check,
)
