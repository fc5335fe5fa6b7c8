"""SF1: executions are logged, and somebody chose whether with their data."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.intrinsics import surely_not
from cdk_ml_lens.review.jobs import MACHINE
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find state machines that do not log all events, or leave the choice about input and output to the default."""
    for machine in template.of_type(MACHINE):
        logging = machine.get("LoggingConfiguration", {})
        level = logging.get("Level", "OFF") if "Fn::If" not in logging else "ALL"
        if surely_not(level, "ALL"):
            yield Finding(logical_id=machine.logical_id, message=f"log level is {level}")
        elif "Fn::If" not in logging and logging.get("IncludeExecutionData") is None:
            yield Finding(
                logical_id=machine.logical_id,
                message="IncludeExecutionData is not chosen: input and output may be personal data",
                detail="ExecutionData",
            )


RULE = Rule(
    id="SF1",
    title="State machines log all events",
    practices=("MLCOST06-BP04", "MLSEC03-BP03"),
    severity=Severity.WARNING,
    explanation="A training or deployment that went wrong cannot be followed once its history is deleted (90 days).",
    fix="Set LoggingConfiguration: Level ALL, a log group in Destinations, IncludeExecutionData true or false.",
    source="https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html",
    check=check,
)
