"""LK11: log groups have a customer managed key."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find log groups without a key."""
    for group in template.of_type("AWS::Logs::LogGroup"):
        if group.get("KmsKeyId") is None:
            yield Finding(logical_id=group.logical_id, message="KmsKeyId is not set")


RULE = Rule(
    id="LK11",
    title="Log groups are encrypted with a customer managed key",
    practices=("MLSEC02-BP01", "MLSEC03-BP03"),
    severity=Severity.WARNING,
    explanation="Logs of models and handlers quote the data they choke on.",
    fix="Set KmsKeyId; the key's policy must allow logs.<region>.amazonaws.com.",
    source="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html",
    check=check,
)
