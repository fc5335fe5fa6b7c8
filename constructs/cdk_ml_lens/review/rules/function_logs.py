"""FN4: logs of functions end some day."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import functions
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Resource, Template

_RETENTION = {"AWS::Logs::LogGroup": "RetentionInDays", "Custom::LogRetention": "RetentionInDays"}


def check(template: Template) -> Iterator[Finding]:
    """Find functions whose log group is made by Lambda, which keeps it for ever, or has no retention."""
    for function in functions.of(template):
        named = function.get("LoggingConfig.LogGroup")
        groups = _groups(template, function) if named is None else template.targets(named)
        if named is not None and not groups:  # a group from outside
            continue
        if not any(group.get(_RETENTION[group.type]) for group in groups if group.type in _RETENTION):
            yield Finding(logical_id=function.logical_id, message="no log group with RetentionInDays is its own")


def _groups(template: Template, function: Resource) -> list[Resource]:
    """Return the log groups that are named after the function."""
    by_name = [
        group
        for group in template.of_type("AWS::Logs::LogGroup")
        if function.get("FunctionName") is not None
        and str(group.get("LogGroupName")).endswith(f"/{function.get('FunctionName')}")
    ]
    return [user for user in template.users_of(function.logical_id) if user.type in _RETENTION] + by_name


RULE = Rule(
    id="FN4",
    title="Logs of functions have a retention",
    practices=("MLSEC03-BP05", "MLCOST06-BP04"),
    severity=Severity.WARNING,
    explanation="What a handler once logged of the data stays readable, and billed, for ever.",
    fix="Set LoggingConfig.LogGroup to an AWS::Logs::LogGroup with RetentionInDays.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html",
    check=check,
)
