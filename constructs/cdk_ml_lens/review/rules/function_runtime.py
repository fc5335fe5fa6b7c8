"""FN5: functions run on a runtime that gets security fixes."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.lifecycle_runtimes import DEPRECATED
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find functions and layers' consumers on a deprecated runtime; container images bring their own."""
    for function in template.of_type("AWS::Lambda::Function"):
        runtime = function.get("Runtime")
        if isinstance(runtime, str) and runtime in DEPRECATED:
            day, successor = DEPRECATED[runtime]
            yield Finding(
                logical_id=function.logical_id, message=f"{runtime} is deprecated since {day}; use {successor}"
            )


RULE = Rule(
    id="FN5",
    title="Functions have a supported runtime",
    practices=("MLSEC04-BP01",),
    severity=Severity.ERROR,
    explanation="The language gets no more security fixes, and Lambda will refuse to create and update the function.",
    fix="Set Runtime to the successor that the finding names.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html",
    check=check,
)
