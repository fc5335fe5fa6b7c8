"""IOT3: a claim certificate can register a device, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import iot_policies
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find policies of claim certificates that allow more than connecting and provisioning."""
    for policy in iot_policies.of_claims(template):
        for statement in iot_policies.allowed(policy):
            if iot_policies.only_connects(statement):
                continue
            for resource in statement.resources:
                if not iot_policies.is_provisioning(resource):
                    yield Finding(
                        logical_id=policy.logical_id,
                        message=f"a claim certificate may {', '.join(statement.actions)} on {resource}",
                        detail=f"Resource::{resource}",
                    )


RULE = Rule(
    id="IOT3",
    title="Claim certificates only register devices",
    practices=("MLSEC03-BP01", "MLSEC05-BP01"),
    severity=Severity.ERROR,
    explanation="Every device leaves the factory with the same claim certificate; what it may do, any finder may do.",
    fix="Allow messages on $aws/certificates/create/* and $aws/provisioning-templates/<name>/provision/* only.",
    source="https://docs.aws.amazon.com/iot/latest/developerguide/provision-wo-cert.html",
    check=check,
)
