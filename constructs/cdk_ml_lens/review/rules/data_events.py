"""LK6: CloudTrail records who reads and writes the lake's data."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import buckets, intrinsics
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Resource, Template

_TRAILS = ("AWS::CloudTrail::Trail", "AWS::CloudTrail::EventDataStore")


def check(template: Template) -> Iterator[Finding]:
    """Find buckets of the lake that no trail of the app watches; a trail of another stack counts for all of them."""
    if any(_has_data_events(trail) for other in template.others for trail in other.of_type(*_TRAILS)):
        return
    here = [trail for trail in template.of_type(*_TRAILS) if _has_data_events(trail)]
    if any(template.is_open(_selectors(trail)) for trail in template.of_type(*_TRAILS)):
        return
    named = {target.logical_id for trail in here for target in template.targets(_selectors(trail))}
    for logical_id in buckets.of_lake(template):
        if logical_id not in named and not any(_watches_all(trail) for trail in here):
            yield Finding(logical_id=logical_id, message="no trail of the app has data events on this bucket")


def _selectors(trail: Resource) -> list[object]:
    return trail.each("EventSelectors") + trail.each("AdvancedEventSelectors")


def _has_data_events(trail: Resource) -> bool:
    return any("AWS::S3::Object" in intrinsics.text(one) for one in _selectors(trail))


def _watches_all(trail: Resource) -> bool:
    """Tell whether a trail watches S3 without naming buckets."""
    return any('"arn:aws:s3"' in text or '"resources.ARN"' not in text for text in _texts(trail))


def _texts(trail: Resource) -> list[str]:
    texts = [intrinsics.text(one) for one in _selectors(trail)]
    return [text for text in texts if "AWS::S3::Object" in text and not list(intrinsics.references(text))]


RULE = Rule(
    id="LK6",
    title="CloudTrail records who reads and writes the lake's data",
    practices=("MLSEC06-BP02", "MLSEC03-BP04"),
    severity=Severity.WARNING,
    explanation="Nobody can tell afterwards who read the training data, or who changed it.",
    fix="Add a trail with S3 data events on the buckets; acknowledge it if a trail of the organization has them.",
    source="https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html",
    check=check,
)
