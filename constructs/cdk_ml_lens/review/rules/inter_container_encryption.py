"""TR1: jobs on several instances encrypt what they send each other."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import job_settings, ml_jobs
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template

_KINDS = (ml_jobs.TRAINING, ml_jobs.PROCESSING, ml_jobs.AUTOML, ml_jobs.MONITORING)


def check(template: Template) -> Iterator[Finding]:
    """Find jobs with more than one instance for certain, without encryption between them."""
    for job in ml_jobs.of(template, *_KINDS):
        if job_settings.has_several_instances(job) and not job_settings.is_encrypted_inside(job):
            message = f"{job.kind} job {job.name}: EnableInterContainerTrafficEncryption is not true"
            yield Finding(logical_id=job.logical_id, message=message, detail=job.detail())


RULE = Rule(
    id="TR1",
    title="Jobs on several instances encrypt what they send each other",
    practices=("MLSEC04-BP02",),
    severity=Severity.ERROR,
    explanation="Gradients and shards of the training data cross the network between the instances in the clear.",
    fix="Set EnableInterContainerTrafficEncryption to true.",
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/train-encrypt.html",
    check=check,
)
