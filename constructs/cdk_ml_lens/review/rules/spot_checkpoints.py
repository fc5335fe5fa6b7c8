"""TR4: training on spot capacity has checkpoints and a limit of waiting."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import ml_jobs
from cdk_ml_lens.review.intrinsics import is_off
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template

_NEEDED = ("CheckpointConfig.S3Uri", "StoppingCondition.MaxWaitTimeInSeconds")


def check(template: Template) -> Iterator[Finding]:
    """Find training on spot capacity that lacks one of the two."""
    for job in ml_jobs.of(template, ml_jobs.TRAINING):
        missing = [place for place in _NEEDED if job.get(place) is None]
        if not is_off(job.get("EnableManagedSpotTraining")) and missing:
            message = f"training {job.name} uses spot capacity without {' and '.join(missing)}"
            yield Finding(logical_id=job.logical_id, message=message, detail=job.detail())


RULE = Rule(
    id="TR4",
    title="Training on spot capacity has checkpoints and a limit of waiting",
    practices=("MLCOST04-BP06",),
    severity=Severity.ERROR,
    explanation=(
        "Without checkpoints an interruption starts the training over; without MaxWaitTimeInSeconds the job is refused."
    ),
    fix="Set CheckpointConfig.S3Uri and StoppingCondition.MaxWaitTimeInSeconds.",
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/model-managed-spot-training.html",
    check=check,
)
