"""IOT1: a device reaches its own topics and its own client id."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import iot_policies
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find policies of devices that take in other devices."""
    for policy in iot_policies.of_devices(template):
        for statement in iot_policies.allowed(policy):
            for resource in statement.resources:
                if iot_policies.reaches_others(statement, resource):
                    yield Finding(
                        logical_id=policy.logical_id,
                        message=f"{', '.join(statement.actions)} on {resource} takes in other devices",
                        detail=f"Resource::{resource}",
                    )


RULE = Rule(
    id="IOT1",
    title="Device policies are held to the device",
    practices=("MLSEC03-BP01", "MLSEC04-BP03"),
    severity=Severity.ERROR,
    explanation="One stolen certificate speaks for the whole fleet: false readings reach model and training data.",
    fix="Put ${iot:Connection.Thing.ThingName} into client ids and topics, or name them.",
    source="https://docs.aws.amazon.com/iot/latest/developerguide/thing-policy-variables.html",
    check=check,
)
