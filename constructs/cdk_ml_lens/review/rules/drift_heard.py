"""MO2: drift is heard of."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import drift
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find alarms on drift without action or rule, and monitoring schedules without a rule."""
    for sign in drift.signs(template):
        if not drift.is_heard(template, sign):
            yield Finding(logical_id=sign.logical_id, message="nothing follows when it finds drift")


RULE = Rule(
    id="MO2",
    title="Drift is heard of",
    practices=("MLPERF06-BP04",),
    severity=Severity.WARNING,
    explanation="A monitor that finds drift and tells nobody is no better than none.",
    fix="Give the drift alarm an action, or add an EventBridge rule on the monitor's event with a target.",
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-cloudwatch.html",
    check=check,
)
