"""FN1: functions run on Graviton."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import functions
from cdk_ml_lens.review.intrinsics import is_known
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find functions that are not on arm64; without the property Lambda takes x86_64."""
    for function in functions.of(template):
        given = function.each("Architectures")
        if is_known(given) and given != ["arm64"]:
            yield Finding(logical_id=function.logical_id, message=f"runs on {given[0] if given else 'x86_64'}")


RULE = Rule(
    id="FN1",
    title="Functions run on arm64",
    practices=("MLSUS05-BP02", "MLCOST05-BP02"),
    severity=Severity.WARNING,
    explanation="The same work costs about a fifth more per second on x86_64, and takes more energy.",
    fix="Set Architectures to [arm64], and build native dependencies for it.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/foundation-arch.html",
    check=check,
)
