"""LK8: delivery streams have a customer managed key."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template

_KEY = "DeliveryStreamEncryptionConfigurationInput.KeyType"


def check(template: Template) -> Iterator[Finding]:
    """Find streams that are written to directly without a key; those behind a Kinesis stream have its encryption."""
    for stream in template.of_type("AWS::KinesisFirehose::DeliveryStream"):
        direct = stream.get("DeliveryStreamType", "DirectPut") == "DirectPut"
        if direct and stream.get(_KEY, "AWS_OWNED_CMK") == "AWS_OWNED_CMK":
            yield Finding(logical_id=stream.logical_id, message="no customer managed key encrypts it")


RULE = Rule(
    id="LK8",
    title="Delivery streams are encrypted with a customer managed key",
    practices=("MLSEC02-BP01",),
    severity=Severity.ERROR,
    explanation="Readings wait in the stream; with a key of AWS nobody can revoke access to them.",
    fix="Set DeliveryStreamEncryptionConfigurationInput with KeyType CUSTOMER_MANAGED_CMK and KeyARN.",
    source="https://docs.aws.amazon.com/firehose/latest/dev/encryption.html",
    check=check,
)
