"""SM11: every variant has alarms on its errors and its latency."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import endpoints
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template

_WANTED = ("Invocation5XXErrors", "ModelLatency")


def check(template: Template) -> Iterator[Finding]:
    """Find variants for which no alarm of the app watches the metric; one finding for each metric."""
    for endpoint, config in endpoints.pairs(template):
        for variant in endpoints.variants(config):
            name = endpoints.variant_name(variant)
            for metric in _WANTED:
                if not endpoints.is_watched(template, endpoint, variant, metric):
                    message = f"no alarm on {metric} of variant {name}"
                    yield Finding(logical_id=endpoint.logical_id, message=message, detail=f"{name}.{metric}")


RULE = Rule(
    id="SM11",
    title="Every variant has alarms on its errors and its latency",
    practices=("MLOPS05-BP01", "MLOPS01-BP03"),
    severity=Severity.WARNING,
    explanation="Nobody notices a variant that fails or slows down until its callers complain.",
    fix=(
        "Add CloudWatch alarms on Invocation5XXErrors and ModelLatency with the dimensions "
        "EndpointName and VariantName."
    ),
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html",
    check=check,
)
