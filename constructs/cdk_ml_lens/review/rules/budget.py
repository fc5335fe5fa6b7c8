"""OPS1: somebody hears when the bill grows."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Resource, Template


def check(template: Template) -> Iterator[Finding]:
    """Find endpoints billed by the hour in an app that makes no budget."""
    if template.everywhere("AWS::Budgets::Budget"):
        return
    for endpoint in template.of_type("AWS::SageMaker::Endpoint"):
        config = template.target(endpoint.get("EndpointConfigName"))
        if config is not None and _has_instances(config):
            yield Finding(logical_id=endpoint.logical_id, message="billed by the hour, and the app makes no budget")


def _has_instances(config: Resource) -> bool:
    variants = [one for one in config.each("ProductionVariants") if isinstance(one, dict)]
    return any(one.get("InstanceType") is not None or one.get("InstancePools") for one in variants)


RULE = Rule(
    id="OPS1",
    title="Endpoints have a budget",
    practices=("MLCOST04-BP12", "MLCOST06-BP01"),
    severity=Severity.WARNING,
    explanation="An endpoint that scaled out, or that nobody deleted, is noticed on the next invoice.",
    fix="Add an AWS::Budgets::Budget with a notification; one for the account serves all stacks.",
    source="https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-managing-costs.html",
    check=check,
)
