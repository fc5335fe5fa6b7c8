"""SM13: some variant takes the traffic."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import endpoints
from cdk_ml_lens.review.intrinsics import known_number
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find configurations whose weights are all known and all 0; the default weight is 1."""
    for config in template.of_type(endpoints.CONFIG):
        weights = [known_number(one.get("InitialVariantWeight", 1)) for one in endpoints.variants(config)]
        if weights and len(weights) == len(config.each("ProductionVariants")) and all(one == 0 for one in weights):
            yield Finding(logical_id=config.logical_id, message=f"all {len(weights)} variants have weight 0")


RULE = Rule(
    id="SM13",
    title="Some variant takes the traffic",
    practices=("MLREL04-BP02",),
    severity=Severity.ERROR,
    explanation="With all weights 0 the endpoint is in service and answers nobody.",
    fix="Give at least one production variant an InitialVariantWeight over 0.",
    source="https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html",
    check=check,
)
