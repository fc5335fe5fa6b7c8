"""TR8: a model is judged before it is registered or deployed."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import jobs
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Resource, Template

_TRAINS = ("createTrainingJob", "createHyperParameterTuningJob", "createAutoMLJob", "createAutoMLJobV2")
_ENDS = ("createModelPackage", "createEndpoint", "updateEndpoint")


def check(template: Template) -> Iterator[Finding]:
    """Find definitions that train and then register or deploy without any decision in them."""
    calls: dict[str, set[str]] = {}
    for job in jobs.of(template):
        calls.setdefault(job.owner.logical_id, set()).add(job.operation)
    for logical_id, operations in calls.items():
        owner = template.resources[logical_id]
        if operations & set(_TRAINS) and operations & set(_ENDS) and not _decides(owner):
            message = "it trains and registers or deploys a model, and decides nothing in between"
            yield Finding(logical_id=logical_id, message=message)


def _decides(owner: Resource) -> bool:
    if owner.type == jobs.PIPELINE:
        return any(step.get("Type") == "Condition" for step in jobs.steps(owner))
    return any(state.get("Type") == "Choice" for _, state in jobs.states(owner))


RULE = Rule(
    id="TR8",
    title="A model is judged before it is registered or deployed",
    practices=("MLREL03-BP03", "MLPERF04-BP03"),
    severity=Severity.WARNING,
    explanation="Whatever comes out of the training goes to production, however bad it is.",
    fix=(
        "Put an evaluation and a Choice state (a Condition step) between the training and "
        "createModelPackage or createEndpoint."
    ),
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html",
    check=check,
)
