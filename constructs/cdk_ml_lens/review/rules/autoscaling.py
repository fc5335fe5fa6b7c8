"""SM9: every variant scales with its load."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import endpoints
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find variants whose capacity is fixed; each has a finding of its own."""
    for endpoint, config in endpoints.pairs(template):
        for variant in endpoints.variants(config):
            if not endpoints.has_scaling(template, endpoint, variant):
                name = endpoints.variant_name(variant)
                yield Finding(
                    logical_id=endpoint.logical_id, message=f"variant {name} has a fixed capacity", detail=name
                )


RULE = Rule(
    id="SM9",
    title="Every variant scales with its load",
    practices=("MLREL05-BP01", "MLCOST05-BP03"),
    severity=Severity.WARNING,
    explanation=(
        "A fixed fleet is too small at the peak, which means refused requests, and too large at "
        "night, which means cost."
    ),
    fix=(
        "Add a ScalableTarget and a policy for endpoint/<name>/variant/<variant>, "
        "ManagedInstanceScaling, or go serverless."
    ),
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html",
    check=check,
)
