"""LC2: nothing new is built on what AWS gives to existing customers only."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import lifecycle
from cdk_ml_lens.review.lifecycle_closed import CLOSED
from cdk_ml_lens.review.lifecycle_closed_sagemaker import CLOSED_OF_SAGEMAKER
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find services and features closed to new customers: resources, properties, calls of state machines."""
    return lifecycle.uses(template, (*CLOSED_OF_SAGEMAKER, *CLOSED))


RULE = Rule(
    id="LC2",
    title="No services or features closed to new customers",
    practices=("MLCOST01-BP02", "MLPERF02-BP02"),
    severity=Severity.WARNING,
    explanation="An account that did not use it before is refused; one that did gets no new features.",
    fix="Use the replacement that the finding names, or acknowledge that the account is an existing customer.",
    source="https://aws.amazon.com/products/lifecycle/",
    check=check,
)
