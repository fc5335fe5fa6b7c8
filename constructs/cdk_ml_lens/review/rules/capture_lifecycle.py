"""SM6: captured traffic expires."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import endpoints, lifecycle_rules
from cdk_ml_lens.review.buckets import BUCKET
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find captures into a bucket of this template in which nothing lets them expire."""
    for config in template.of_type(endpoints.CONFIG):
        place = config.get("DataCaptureConfig.DestinationS3Uri")
        bucket = template.target(place)
        if bucket is None or bucket.type != BUCKET or lifecycle_rules.expires(bucket, place):
            continue
        yield Finding(logical_id=config.logical_id, message=f"no rule of {bucket.logical_id} expires captures")


RULE = Rule(
    id="SM6",
    title="Captured traffic expires",
    practices=("MLSEC03-BP05", "MLSUS03-BP02"),
    severity=Severity.WARNING,
    explanation="Captures grow with every request; kept for ever they cost more each month and are a privacy risk.",
    fix="Add a lifecycle rule with an expiration to the capture bucket, for the prefix of DestinationS3Uri.",
    source="https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lifecycle-mgmt.html",
    check=check,
)
