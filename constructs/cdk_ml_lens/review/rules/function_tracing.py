"""FN3: a slow or failing call can be followed through the functions."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import functions
from cdk_ml_lens.review.intrinsics import surely_not
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find functions without active tracing."""
    for function in functions.of(template):
        if surely_not(function.get("TracingConfig.Mode", "PassThrough"), "Active"):
            yield Finding(logical_id=function.logical_id, message="TracingConfig.Mode is not Active")


RULE = Rule(
    id="FN3",
    title="Functions are traced",
    practices=("MLCOST06-BP04", "MLOPS06-BP02"),
    severity=Severity.WARNING,
    explanation="Where the time of a prediction goes, function, endpoint or store, stays a guess.",
    fix="Set TracingConfig.Mode to Active.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html",
    check=check,
)
