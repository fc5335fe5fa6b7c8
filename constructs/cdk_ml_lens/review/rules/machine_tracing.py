"""SF2: executions are traced together with what they call."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.intrinsics import surely_not
from cdk_ml_lens.review.jobs import MACHINE
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find state machines without X-Ray."""
    for machine in template.of_type(MACHINE):
        if surely_not(machine.get("TracingConfiguration.Enabled", False), True):
            yield Finding(logical_id=machine.logical_id, message="TracingConfiguration.Enabled is not true")


RULE = Rule(
    id="SF2",
    title="State machines are traced",
    practices=("MLCOST06-BP04",),
    severity=Severity.WARNING,
    explanation="Which step of the pipeline is slow or fails, across services, has to be pieced together by hand.",
    fix="Set TracingConfiguration.Enabled to true.",
    source="https://docs.aws.amazon.com/step-functions/latest/dg/concepts-xray-tracing.html",
    check=check,
)
