"""LK1: buckets refuse requests without TLS."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import buckets, intrinsics, statements
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.statements import Statement
from cdk_ml_lens.review.template import Resource, Template


def check(template: Template) -> Iterator[Finding]:
    """Find buckets without such a policy in their template."""
    closed = {bucket.logical_id for policy in _policies(template) for bucket in template.targets(policy.get("Bucket"))}
    for bucket in template.of_type(buckets.BUCKET):
        if bucket.logical_id not in closed:
            yield Finding(logical_id=bucket.logical_id, message="no bucket policy denies requests without TLS")


def _policies(template: Template) -> Iterator[Resource]:
    """Yield the bucket policies that deny requests without TLS, or that are not known yet."""
    for policy in template.of_type("AWS::S3::BucketPolicy"):
        document = policy.get("PolicyDocument")
        given = intrinsics.each_value(intrinsics.at(document, "Statement"))
        unknown = any(intrinsics.intrinsic(one) for one in given)
        if unknown or any(map(_denies, statements.read(policy, document))):
            yield policy


def _denies(statement: Statement) -> bool:
    secure = intrinsics.at(statement.condition, "Bool.aws:SecureTransport", "true")
    return not statement.allows and (isinstance(secure, dict) or str(secure).lower() == "false")


RULE = Rule(
    id="LK1",
    title="Buckets refuse requests without TLS",
    practices=("MLSEC02-BP01",),
    severity=Severity.ERROR,
    explanation="Readings and predictions cross the network in the clear if a client is told to use http.",
    fix="Add a bucket policy that denies s3:* to everybody where aws:SecureTransport is false.",
    source="https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html",
    check=check,
)
