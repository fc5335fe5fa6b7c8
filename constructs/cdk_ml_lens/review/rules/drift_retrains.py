"""MO3: drift starts retraining."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import drift
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find signs of drift from which no machine, pipeline or function starts."""
    for sign in drift.signs(template):
        if drift.is_heard(template, sign) and not drift.starts_work(template, sign):
            yield Finding(logical_id=sign.logical_id, message="it tells somebody, but no retraining starts from it")


RULE = Rule(
    id="MO3",
    title="Drift starts retraining",
    practices=("MLPERF06-BP05", "MLOPS02-BP05"),
    severity=Severity.WARNING,
    explanation="Until a person finds the time, the model answers for a world that is gone.",
    fix=(
        "Let an EventBridge rule on the alarm (or the monitor) start a state machine, a pipeline "
        "or a function that does."
    ),
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor.html",
    check=check,
)
