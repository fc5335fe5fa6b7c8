"""LK2: buckets of data and models have a customer managed key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cdk_ml_lens.review import buckets, intrinsics
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template

_DEFAULT = "ServerSideEncryptionByDefault"


def check(template: Template) -> Iterator[Finding]:
    """Find data buckets of this template without a key of the account."""
    for logical_id, user in buckets.of_data(template).items():
        bucket = template.resources[logical_id]
        rules = bucket.each("BucketEncryption.ServerSideEncryptionConfiguration")
        if not any(_has_key(rule) for rule in rules):
            yield Finding(logical_id=logical_id, message=f"no key of yours, and {user.logical_id} keeps data there")


def _has_key(rule: Any) -> bool:
    if intrinsics.intrinsic(rule) is not None:
        return True
    algorithm = str(intrinsics.at(rule, f"{_DEFAULT}.SSEAlgorithm", ""))
    return algorithm != "AES256" and intrinsics.at(rule, f"{_DEFAULT}.KMSMasterKeyID") is not None


RULE = Rule(
    id="LK2",
    title="Buckets of data and models are encrypted with a customer managed key",
    practices=("MLSEC02-BP01",),
    severity=Severity.ERROR,
    explanation=(
        "Without a key of yours whoever may read the bucket reads the data; no key policy stands between, and no audit."
    ),
    fix="Set BucketEncryption with SSEAlgorithm aws:kms and KMSMasterKeyID, and BucketKeyEnabled against the cost.",
    source="https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html",
    check=check,
)
