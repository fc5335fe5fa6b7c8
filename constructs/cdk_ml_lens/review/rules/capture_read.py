"""MO1: captured traffic is judged."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import buckets, endpoints, jobs
from cdk_ml_lens.review.intrinsics import is_off, references
from cdk_ml_lens.review.ml_jobs import MONITOR_KINDS
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Resource, Template

_DEFINITIONS = tuple(f"AWS::SageMaker::{kind}JobDefinition" for kind in MONITOR_KINDS)
_READERS = (jobs.MACHINE, jobs.PIPELINE, "AWS::Lambda::Function", "AWS::Glue::Job", "AWS::Glue::Table", *_DEFINITIONS)


def check(template: Template) -> Iterator[Finding]:
    """Find captures into a bucket of this template that nothing reads, and no monitor of whose endpoint exists."""
    for config in template.of_type(endpoints.CONFIG):
        place = config.get("DataCaptureConfig.DestinationS3Uri")
        bucket = template.target(place)
        on = not is_off(config.get("DataCaptureConfig.EnableCapture"))
        if on and bucket is not None and bucket.type == buckets.BUCKET and not _is_read(template, config, bucket):
            yield Finding(logical_id=config.logical_id, message=f"nothing reads the captures in {bucket.logical_id}")


def _is_read(template: Template, config: Resource, bucket: Resource) -> bool:
    wanted = {bucket.logical_id} | {
        endpoint.logical_id for endpoint, its_config in endpoints.pairs(template) if its_config is config
    }
    if template.exports(bucket.logical_id):  # another stack uses it
        return True
    if any(jobs.is_unreadable(owner) for owner in template.of_type(jobs.MACHINE, jobs.PIPELINE)):
        return True
    return any(wanted & set(references(reader.properties)) for reader in template.of_type(*_READERS))


RULE = Rule(
    id="MO1",
    title="Captured traffic is judged",
    practices=("MLPERF06-BP03", "MLOPS01-BP03"),
    severity=Severity.WARNING,
    explanation="Captures that nobody reads cost money and give false comfort: drift goes unnoticed.",
    fix="Add a monitoring schedule on the endpoint, or a job or machine that reads the capture bucket.",
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor.html",
    check=check,
)
