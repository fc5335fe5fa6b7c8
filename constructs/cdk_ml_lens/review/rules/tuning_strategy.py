"""TR6: searches learn from what they tried."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import ml_jobs
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find searches by grid or at random."""
    for job in ml_jobs.of(template, ml_jobs.TUNING):
        strategy = job.get("HyperParameterTuningJobConfig.Strategy")
        if strategy in ("Grid", "Random"):
            message = f"search {job.name} has the strategy {strategy}"
            yield Finding(logical_id=job.logical_id, message=message, detail=job.detail())


RULE = Rule(
    id="TR6",
    title="Searches learn from what they tried",
    practices=("MLCOST04-BP11", "MLSUS04-BP04"),
    severity=Severity.WARNING,
    explanation="Grid and random search pay for combinations that earlier results had ruled out.",
    fix="Set Strategy to Bayesian or Hyperband; acknowledge it where many parallel jobs or full coverage are worth it.",
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-how-it-works.html",
    check=check,
)
