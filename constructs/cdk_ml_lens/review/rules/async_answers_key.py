"""SM15: answers of asynchronous endpoints have a customer managed key."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import endpoints
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find asynchronous configurations without a key for the answers."""
    for config in template.of_type(endpoints.CONFIG):
        asynchronous = config.get("AsyncInferenceConfig") is not None
        if asynchronous and config.get("AsyncInferenceConfig.OutputConfig.KmsKeyId") is None:
            yield Finding(logical_id=config.logical_id, message="AsyncInferenceConfig.OutputConfig.KmsKeyId is not set")


RULE = Rule(
    id="SM15",
    title="Answers of asynchronous endpoints are encrypted with a customer managed key",
    practices=("MLSEC02-BP01",),
    severity=Severity.ERROR,
    explanation="Answers lie in S3 until somebody fetches them, with what the model said about your users.",
    fix="Set AsyncInferenceConfig.OutputConfig.KmsKeyId.",
    source="https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AsyncInferenceOutputConfig.html",
    check=check,
)
