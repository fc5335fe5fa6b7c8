"""TR7: searches build on earlier work."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import ml_jobs
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template

_PLACES = ("WarmStartConfig", "TrainingJobDefinition.CheckpointConfig", "TrainingJobDefinitions")


def check(template: Template) -> Iterator[Finding]:
    """Find searches with neither; of several training definitions nothing is said."""
    for job in ml_jobs.of(template, ml_jobs.TUNING):
        if all(job.get(place) is None for place in _PLACES):
            message = f"search {job.name} has neither WarmStartConfig nor CheckpointConfig"
            yield Finding(logical_id=job.logical_id, message=message, detail=job.detail())


RULE = Rule(
    id="TR7",
    title="Searches build on earlier work",
    practices=("MLCOST04-BP10",),
    severity=Severity.WARNING,
    explanation="A search that is started again and again from nothing pays for the same trials each time.",
    fix="Set WarmStartConfig with the earlier search, or CheckpointConfig in the training definition.",
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-warm-start.html",
    check=check,
)
