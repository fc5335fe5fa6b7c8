"""LK12: log groups forget."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find log groups that keep everything."""
    for group in template.of_type("AWS::Logs::LogGroup"):
        if group.get("RetentionInDays") is None:
            yield Finding(logical_id=group.logical_id, message="RetentionInDays is not set")


RULE = Rule(
    id="LK12",
    title="Log groups forget",
    practices=("MLSEC03-BP05", "MLCOST06-BP04"),
    severity=Severity.WARNING,
    explanation="Logs are kept for ever by default: the cost and the privacy risk grow for ever, too.",
    fix="Set RetentionInDays.",
    source="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html",
    check=check,
)
