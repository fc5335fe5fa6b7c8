"""LK5: buckets of data and models have a lifecycle."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import buckets, intrinsics
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find data buckets without any enabled rule."""
    for logical_id, user in buckets.of_data(template).items():
        rules = template.resources[logical_id].each("LifecycleConfiguration.Rules")
        if not any(intrinsics.at(rule, "Status") != "Disabled" for rule in rules):
            yield Finding(logical_id=logical_id, message=f"no lifecycle rule, and {user.logical_id} fills it")


RULE = Rule(
    id="LK5",
    title="Buckets of data and models have a lifecycle",
    practices=("MLSUS03-BP02", "MLSUS04-BP03", "MLSEC03-BP05"),
    severity=Severity.WARNING,
    explanation="Old versions, checkpoints and raw data pile up for ever, and somebody pays for them every month.",
    fix=(
        "Add an enabled rule to LifecycleConfiguration: transitions, expiration, or at least "
        "expiry of noncurrent versions."
    ),
    source="https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lifecycle-mgmt.html",
    check=check,
)
