"""LK9: data streams have a customer managed key."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find Kinesis streams without encryption, or with the key that AWS manages."""
    for stream in template.of_type("AWS::Kinesis::Stream"):
        key = stream.get("StreamEncryption.KeyId")
        if key is None or key == "alias/aws/kinesis":
            yield Finding(logical_id=stream.logical_id, message="StreamEncryption.KeyId names no key of yours")


RULE = Rule(
    id="LK9",
    title="Data streams are encrypted with a customer managed key",
    practices=("MLSEC02-BP01",),
    severity=Severity.ERROR,
    explanation=(
        "Readings stay in the stream for a day or more; with the key of AWS every reader of the stream decrypts them."
    ),
    fix="Set StreamEncryption with EncryptionType KMS and the KeyId of a key of yours.",
    source="https://docs.aws.amazon.com/streams/latest/dev/what-is-sse.html",
    check=check,
)
