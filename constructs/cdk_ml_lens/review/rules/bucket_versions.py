"""LK3: buckets of data and models keep versions."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import buckets
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find buckets of the lake and of models without versions; captures and answers are written once."""
    kept = buckets.of_lake(template) | buckets.of_models(template)
    for logical_id, user in kept.items():
        status = template.resources[logical_id].get("VersioningConfiguration.Status", "Suspended")
        if status == "Suspended":
            yield Finding(logical_id=logical_id, message=f"versioning is off, and {user.logical_id} depends on it")


RULE = Rule(
    id="LK3",
    title="Buckets of data and models keep versions",
    practices=("MLOPS03-BP02", "MLREL05-BP02", "MLSEC04-BP03"),
    severity=Severity.ERROR,
    explanation=(
        "An overwritten or poisoned training set, or model, cannot be brought back, and nobody can "
        "tell which one was used."
    ),
    fix="Set VersioningConfiguration.Status to Enabled.",
    source="https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html",
    check=check,
)
