"""MO4: models are retrained when needed, not by the calendar alone."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import drift
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find schedules that start a training which no event starts."""
    for schedule in drift.trained_by_calendar(template):
        yield Finding(logical_id=schedule.logical_id, message="only the calendar starts this training")


RULE = Rule(
    id="MO4",
    title="Models are retrained when needed, not by the calendar alone",
    practices=("MLSUS06-BP02",),
    severity=Severity.WARNING,
    explanation=(
        "Training by the calendar pays for models that are no better, and comes too late when the world changes."
    ),
    fix="Start the training from a drift alarm or from new data, and keep the schedule as a longest interval at most.",
    source="https://docs.aws.amazon.com/wellarchitected/latest/machine-learning-lens/mlsus06-bp02.html",
    check=check,
)
