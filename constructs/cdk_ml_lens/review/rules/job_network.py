"""TR2: jobs are isolated from the network or in a VPC."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import job_settings, ml_jobs
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template

_KINDS = (ml_jobs.TRAINING, ml_jobs.PROCESSING, ml_jobs.AUTOML, ml_jobs.MONITORING)


def check(template: Template) -> Iterator[Finding]:
    """Find jobs that are neither isolated nor in a VPC; a transform job runs a model, see SM1."""
    for job in ml_jobs.of(template, *_KINDS):
        if not job_settings.is_closed(job):
            message = f"{job.kind} job {job.name} has neither network isolation nor a VPC"
            yield Finding(logical_id=job.logical_id, message=message, detail=job.detail())


RULE = Rule(
    id="TR2",
    title="Jobs are isolated from the network or in a VPC",
    practices=("MLSEC03-BP02",),
    severity=Severity.ERROR,
    explanation="A job reads all training data and runs code of others; with a way out, that code can send it away.",
    fix="Set EnableNetworkIsolation to true, or VpcConfig with private subnets.",
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/mkt-algo-model-internet-free.html",
    check=check,
)
