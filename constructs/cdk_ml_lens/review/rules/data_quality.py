"""LK15: prepared data is checked before a model learns from it."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import jobs
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template

_RULESETS = ("AWS::Glue::DataQualityRuleset", "AWS::DataBrew::Ruleset")


def check(template: Template) -> Iterator[Finding]:
    """Find machines that run Glue jobs and decide nothing on what came out, in apps without rulesets."""
    if template.everywhere(*_RULESETS):
        return
    owners = {job.owner.logical_id: job.owner for job in jobs.of(template) if job.operation == "startJobRun"}
    for owner in owners.values():
        if not any(state.get("Type") == "Choice" for _, state in jobs.states(owner)):
            yield Finding(logical_id=owner.logical_id, message="it prepares data and nothing checks the result")


RULE = Rule(
    id="LK15",
    title="Prepared data is checked before a model learns from it",
    practices=("MLOPS03-BP01", "MLSEC04-BP03"),
    severity=Severity.WARNING,
    explanation="A broken sensor or a poisoned file becomes part of the model without anyone noticing.",
    fix=(
        "Add a Glue data quality ruleset, or a step that checks the prepared data and can stop (a "
        "Choice after the job)."
    ),
    source="https://docs.aws.amazon.com/glue/latest/dg/glue-data-quality.html",
    check=check,
)
