"""SM4: endpoints capture their traffic."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import endpoints
from cdk_ml_lens.review.intrinsics import is_off
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find configurations with instances and without capture."""
    for config in template.of_type(endpoints.CONFIG):
        able = [variant for variant in endpoints.variants(config) if not endpoints.is_serverless(variant)]
        if able and is_off(config.get("DataCaptureConfig.EnableCapture")):
            yield Finding(logical_id=config.logical_id, message="DataCaptureConfig.EnableCapture is not true")


RULE = Rule(
    id="SM4",
    title="Endpoints capture their traffic",
    practices=("MLOPS06-BP02", "MLPERF06-BP03"),
    severity=Severity.WARNING,
    explanation="Without requests and answers nobody can tell later whether data drifted or what the model answered.",
    fix="Set DataCaptureConfig with EnableCapture true; serverless variants have no capture and are left out.",
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html",
    check=check,
)
