"""LC1: nothing is built on what AWS has switched off."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import lifecycle
from cdk_ml_lens.review.lifecycle_ended import ENDED
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find services and features that ended: resources, properties, calls of state machines."""
    return lifecycle.uses(template, ENDED)


RULE = Rule(
    id="LC1",
    title="No services or features that ended",
    practices=("MLCOST01-BP02", "MLPERF02-BP02"),
    severity=Severity.ERROR,
    explanation="The template is valid and compiles, and its deployment fails, or builds on something about to vanish.",
    fix="Use the replacement that the finding names.",
    source="https://aws.amazon.com/products/lifecycle/",
    check=check,
)
