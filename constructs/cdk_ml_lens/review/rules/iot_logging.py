"""IOT5: what the account says about the fleet is not switched off."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.intrinsics import surely_not
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find logging that is disabled, and audit checks that are turned off; both are settings of the whole account."""
    for logging in template.of_type("AWS::IoT::Logging"):
        if logging.get("DefaultLogLevel") == "DISABLED":
            yield Finding(logical_id=logging.logical_id, message="DefaultLogLevel is DISABLED for the whole account")
    for audit in template.of_type("AWS::IoT::AccountAuditConfiguration"):
        for name, setting in audit.get("AuditCheckConfigurations", {}).items():
            if isinstance(setting, dict) and surely_not(setting.get("Enabled"), True):
                yield Finding(
                    logical_id=audit.logical_id, message=f"audit check {name} is off", detail=f"Check::{name}"
                )


RULE = Rule(
    id="IOT5",
    title="Logging and audit of the fleet are on",
    practices=("MLSEC06-BP02", "MLCOST06-BP04"),
    severity=Severity.WARNING,
    explanation="A refused connection or a shared certificate is the first trace of an attack, and nobody sees it.",
    fix="Set DefaultLogLevel to ERROR or more, and Enabled to true in each of AuditCheckConfigurations.",
    source="https://docs.aws.amazon.com/iot/latest/developerguide/configure-logging.html",
    check=check,
)
