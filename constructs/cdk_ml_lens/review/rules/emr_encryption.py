"""EMR2: data of a cluster is encrypted on its disks and between its nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cdk_ml_lens.review import intrinsics
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Resource, Template

_PARTS = ("EnableAtRestEncryption", "EnableInTransitEncryption")


def check(template: Template) -> Iterator[Finding]:
    """Find clusters without a security configuration, and configurations that leave a part open."""
    for cluster in template.of_type("AWS::EMR::Cluster"):
        if cluster.get("SecurityConfiguration") is None:
            yield Finding(logical_id=cluster.logical_id, message="no SecurityConfiguration: nothing is encrypted")
    for configuration in template.of_type("AWS::EMR::SecurityConfiguration"):
        yield from _open_parts(configuration)


def _open_parts(configuration: Resource) -> Iterator[Finding]:
    found = intrinsics.document(configuration.get("SecurityConfiguration"))
    if not isinstance(found, Mapping):
        return
    encryption = found.get("EncryptionConfiguration", {})
    for part in _PARTS:
        if isinstance(encryption, Mapping) and intrinsics.surely_not(encryption.get(part), True):
            yield Finding(logical_id=configuration.logical_id, message=f"{part} is not true", detail=part)


RULE = Rule(
    id="EMR2",
    title="EMR encrypts at rest and in transit",
    practices=("MLSEC02-BP01", "MLSEC04-BP02"),
    severity=Severity.ERROR,
    explanation="Training data lies open on the nodes' disks, and crosses the network between them in the clear.",
    fix="Name an AWS::EMR::SecurityConfiguration that enables both parts of EncryptionConfiguration.",
    source="https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-data-encryption.html",
    check=check,
)
