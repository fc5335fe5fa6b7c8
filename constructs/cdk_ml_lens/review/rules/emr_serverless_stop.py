"""EMR3: an application of EMR Serverless stops when it is idle."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.intrinsics import surely_not
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find applications that switched the stop off; it is on after 15 minutes if nothing is said."""
    for application in template.of_type("AWS::EMRServerless::Application"):
        if surely_not(application.get("AutoStopConfiguration.Enabled", True), True):
            yield Finding(logical_id=application.logical_id, message="AutoStopConfiguration.Enabled is false")


RULE = Rule(
    id="EMR3",
    title="EMR Serverless stops when idle",
    practices=("MLCOST04-BP08", "MLSUS03-BP01"),
    severity=Severity.WARNING,
    explanation="Initialized workers are billed as long as the application runs.",
    fix="Set AutoStopConfiguration.Enabled to true, and IdleTimeoutMinutes to what the next job is worth waiting for.",
    source="https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/application-capacity.html",
    check=check,
)
