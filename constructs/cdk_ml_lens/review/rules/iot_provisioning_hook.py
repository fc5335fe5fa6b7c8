"""IOT4: somebody decides which device may register."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find templates of fleet provisioning without a hook."""
    for item in template.of_type("AWS::IoT::ProvisioningTemplate"):
        by_claim = item.get("TemplateType", "FLEET_PROVISIONING") == "FLEET_PROVISIONING"
        if by_claim and item.get("PreProvisioningHook") is None:
            yield Finding(logical_id=item.logical_id, message="no PreProvisioningHook: every claim is granted")


RULE = Rule(
    id="IOT4",
    title="Fleet provisioning asks a hook",
    practices=("MLSEC05-BP01", "MLSEC04-BP03"),
    severity=Severity.WARNING,
    explanation="Who has one claim certificate can register as many devices as they like, each with data of its own.",
    fix="Set PreProvisioningHook to a function that admits known serial numbers only.",
    source="https://docs.aws.amazon.com/iot/latest/developerguide/pre-provisioning-hook.html",
    check=check,
)
