"""TR5: searches stop hopeless training early."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import ml_jobs
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find searches without early stopping; Hyperband has its own."""
    for job in ml_jobs.of(template, ml_jobs.TUNING):
        stopping = job.get("HyperParameterTuningJobConfig.TrainingJobEarlyStoppingType", "Off")
        if stopping == "Off" and job.get("HyperParameterTuningJobConfig.Strategy") != "Hyperband":
            message = f"search {job.name}: TrainingJobEarlyStoppingType is not Auto"
            yield Finding(logical_id=job.logical_id, message=message, detail=job.detail())


RULE = Rule(
    id="TR5",
    title="Searches stop hopeless training early",
    practices=("MLCOST04-BP11", "MLSUS04-BP04"),
    severity=Severity.WARNING,
    explanation="Without early stopping every bad combination is trained to its end and paid for.",
    fix="Set TrainingJobEarlyStoppingType to Auto, or use the strategy Hyperband, which stops on its own.",
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-early-stopping.html",
    check=check,
)
