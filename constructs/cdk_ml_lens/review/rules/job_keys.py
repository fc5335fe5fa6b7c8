"""TR3: volumes and outputs of jobs have a customer managed key."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import job_settings, ml_jobs
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template

_KINDS = (ml_jobs.TRAINING, ml_jobs.PROCESSING, ml_jobs.TRANSFORM, ml_jobs.AUTOML, ml_jobs.MONITORING)


def check(template: Template) -> Iterator[Finding]:
    """Find jobs without a key; volume and output have a finding each."""
    for job in ml_jobs.of(template, *_KINDS):
        for place in job_settings.missing_keys(job):
            message = f"{job.kind} job {job.name} has no key for its {place}"
            yield Finding(logical_id=job.logical_id, message=message, detail=job.detail(place))


RULE = Rule(
    id="TR3",
    title="Volumes and outputs of jobs are encrypted with a customer managed key",
    practices=("MLSEC02-BP01",),
    severity=Severity.ERROR,
    explanation=(
        "Training data, models and predictions lie there; without a key of yours nobody can revoke "
        "or audit access to them."
    ),
    fix="Set VolumeKmsKeyId of the instances and KmsKeyId of the output.",
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/encryption-at-rest-nbi.html",
    check=check,
)
