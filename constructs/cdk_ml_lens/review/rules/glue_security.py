"""LK7: Glue jobs and crawlers encrypt what they write, log and remember."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.intrinsics import at
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Resource, Template

_USES = {"AWS::Glue::Job": "SecurityConfiguration", "AWS::Glue::Crawler": "CrawlerSecurityConfiguration"}
_PARTS = {
    "S3": ("S3Encryptions", "S3EncryptionMode"),
    "CloudWatch": ("CloudWatchEncryption", "CloudWatchEncryptionMode"),
    "job bookmarks": ("JobBookmarksEncryption", "JobBookmarksEncryptionMode"),
}


def check(template: Template) -> Iterator[Finding]:
    """Find jobs and crawlers without a configuration, and configurations with a part switched off."""
    for cfn_type, prop in _USES.items():
        for user in template.of_type(cfn_type):
            if user.get(prop) is None:
                yield Finding(logical_id=user.logical_id, message=f"{prop} is not set")
    for config in template.of_type("AWS::Glue::SecurityConfiguration"):
        yield from _parts(config)


def _parts(config: Resource) -> Iterator[Finding]:
    for name, (part, mode) in _PARTS.items():
        given = config.each(f"EncryptionConfiguration.{part}")
        if all(at(one, mode, "DISABLED") == "DISABLED" for one in given):
            yield Finding(logical_id=config.logical_id, message=f"{name} are not encrypted", detail=part)


RULE = Rule(
    id="LK7",
    title="Glue jobs and crawlers encrypt what they write, log and remember",
    practices=("MLSEC02-BP01",),
    severity=Severity.ERROR,
    explanation=(
        "Without a security configuration a job's logs and bookmarks, and what it writes, have no key of yours."
    ),
    fix=(
        "Set SecurityConfiguration (CrawlerSecurityConfiguration) to one that encrypts S3, "
        "CloudWatch and job bookmarks."
    ),
    source="https://docs.aws.amazon.com/glue/latest/dg/encryption-security-configuration.html",
    check=check,
)
