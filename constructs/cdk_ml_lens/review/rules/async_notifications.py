"""SM14: asynchronous endpoints tell of failures."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import endpoints
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find asynchronous configurations without a topic for errors."""
    for config in template.of_type(endpoints.CONFIG):
        asynchronous = config.get("AsyncInferenceConfig") is not None
        if asynchronous and config.get("AsyncInferenceConfig.OutputConfig.NotificationConfig.ErrorTopic") is None:
            yield Finding(logical_id=config.logical_id, message="NotificationConfig.ErrorTopic is not set")


RULE = Rule(
    id="SM14",
    title="Asynchronous endpoints tell of failures",
    practices=("MLREL02-BP02", "MLPERF05-BP02"),
    severity=Severity.WARNING,
    explanation=(
        "The caller of an asynchronous endpoint is long gone: without a notification a failed request is simply lost."
    ),
    fix="Set AsyncInferenceConfig.OutputConfig.NotificationConfig.ErrorTopic.",
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-check-predictions.html",
    check=check,
)
