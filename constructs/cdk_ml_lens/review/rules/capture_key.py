"""SM5: captured traffic has a customer managed key."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import endpoints
from cdk_ml_lens.review.intrinsics import is_off
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find captures without a key."""
    for config in template.of_type(endpoints.CONFIG):
        on = not is_off(config.get("DataCaptureConfig.EnableCapture"))
        if on and config.get("DataCaptureConfig.KmsKeyId") is None:
            yield Finding(logical_id=config.logical_id, message="DataCaptureConfig.KmsKeyId is not set")


RULE = Rule(
    id="SM5",
    title="Captured traffic is encrypted with a customer managed key",
    practices=("MLSEC02-BP01", "MLSEC03-BP03"),
    severity=Severity.ERROR,
    explanation="Captures are the data of your users in plain files: whoever reads the bucket reads them.",
    fix="Set DataCaptureConfig.KmsKeyId; it is used on the instance's volume until upload, and in S3.",
    source="https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DataCaptureConfig.html",
    check=check,
)
