"""OPS2: what costs money says for whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cdk_ml_lens.review import jobs
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template

# Jobs that a definition starts: tags of the stack never reach them.
_BILLED = frozenset(
    {
        "createTrainingJob",
        "createProcessingJob",
        "createTransformJob",
        "createHyperParameterTuningJob",
        "createAutoMLJobV2",
        "createEndpoint",
    }
)


def check(template: Template) -> Iterator[Finding]:
    """Find jobs of state machines without tags, and endpoints where neither resource nor stack has any."""
    for job in jobs.of(template):
        of_machine = job.owner.type == jobs.MACHINE and job.service == "sagemaker"
        known = isinstance(job.arguments, Mapping) and job.arguments
        if of_machine and known and job.operation in _BILLED and "Tags" not in job.arguments:
            yield Finding(
                logical_id=job.owner.logical_id,
                message=f"{job.name} calls {job.operation} without Tags",
                detail=f"State::{job.name}",
            )
    for endpoint in () if template.stack_tags else template.of_type("AWS::SageMaker::Endpoint"):
        if not endpoint.get("Tags"):
            yield Finding(logical_id=endpoint.logical_id, message="no Tags, and the stack has none either")


RULE = Rule(
    id="OPS2",
    title="Endpoints and jobs have cost tags",
    practices=("MLCOST04-BP12", "MLCOST06-BP01"),
    severity=Severity.WARNING,
    explanation="The bill shows instance hours, not models: nobody can tell which experiment or product they were for.",
    fix="Set Tags on the endpoint and in the request of the job (Tags.of(app).add(…) does it for the endpoint).",
    source="https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/cost-alloc-tags.html",
    check=check,
)
