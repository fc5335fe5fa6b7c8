"""LK4: buckets block public access."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import buckets
from cdk_ml_lens.review.intrinsics import is_off
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Resource, Template

_SWITCHES = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
_PUBLIC = ("PublicRead", "PublicReadWrite", "AuthenticatedRead")


def check(template: Template) -> Iterator[Finding]:
    """Find buckets that switch a block off, which new buckets have on, or that have a public ACL."""
    for bucket in template.of_type(buckets.BUCKET):
        opened = _opened(bucket)
        if opened:
            yield Finding(logical_id=bucket.logical_id, message=f"not blocked: {', '.join(opened)}")


def _opened(bucket: Resource) -> list[str]:
    acl = bucket.get("AccessControl")
    public = [f"AccessControl {acl}"] if acl in _PUBLIC else []
    if bucket.get("PublicAccessBlockConfiguration") is None:
        return public
    return public + [name for name in _SWITCHES if is_off(bucket.get(f"PublicAccessBlockConfiguration.{name}"))]


RULE = Rule(
    id="LK4",
    title="Buckets block public access",
    practices=("MLSEC03-BP01", "MLSEC03-BP02"),
    severity=Severity.ERROR,
    explanation="One wrong policy or ACL publishes the data.",
    fix=(
        "Leave PublicAccessBlockConfiguration out, which blocks everything, or set all four "
        "switches to true; set no AccessControl."
    ),
    source="https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html",
    check=check,
)
