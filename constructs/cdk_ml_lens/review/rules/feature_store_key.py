"""LK10: feature groups have a customer managed key."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template

_STORES = {
    "OnlineStoreConfig": "OnlineStoreConfig.SecurityConfig.KmsKeyId",
    "OfflineStoreConfig": "OfflineStoreConfig.S3StorageConfig.KmsKeyId",
}


def check(template: Template) -> Iterator[Finding]:
    """Find feature groups with a store that has no key; each store has a finding of its own."""
    for group in template.of_type("AWS::SageMaker::FeatureGroup"):
        for store, key in _STORES.items():
            if group.get(store) is not None and group.get(key) is None:
                yield Finding(logical_id=group.logical_id, message=f"{key} is not set", detail=store)


RULE = Rule(
    id="LK10",
    title="Feature groups are encrypted with a customer managed key",
    practices=("MLSEC02-BP01",),
    severity=Severity.ERROR,
    explanation="Features describe people and machines in a form made for answering questions about them.",
    fix="Set OnlineStoreConfig.SecurityConfig.KmsKeyId and OfflineStoreConfig.S3StorageConfig.KmsKeyId.",
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/feature-store-security.html",
    check=check,
)
