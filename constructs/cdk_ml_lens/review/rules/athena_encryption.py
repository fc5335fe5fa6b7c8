"""LK13: Athena workgroups encrypt results and enforce it."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template

_IN = "WorkGroupConfiguration."
_ENCRYPTION = (
    f"{_IN}ResultConfiguration.EncryptionConfiguration",
    f"{_IN}ManagedQueryResultsConfiguration.EncryptionConfiguration",
)


def check(template: Template) -> Iterator[Finding]:
    """Find workgroups whose results are not encrypted, or whose clients may choose otherwise."""
    for group in template.of_type("AWS::Athena::WorkGroup"):
        if all(group.get(place) is None for place in _ENCRYPTION):
            yield Finding(logical_id=group.logical_id, message="results are not encrypted", detail="Encryption")
        if group.get(f"{_IN}EnforceWorkGroupConfiguration", True) in (False, "false"):
            yield Finding(logical_id=group.logical_id, message="clients choose their own settings", detail="Enforce")


RULE = Rule(
    id="LK13",
    title="Athena workgroups encrypt results and enforce it",
    practices=("MLSEC02-BP01",),
    severity=Severity.ERROR,
    explanation=(
        "Query results are copies of the data; a client that chooses its own settings leaves them in the clear."
    ),
    fix="Set ResultConfiguration.EncryptionConfiguration, and EnforceWorkGroupConfiguration true (its default).",
    source="https://docs.aws.amazon.com/athena/latest/ug/encrypting-query-results-stored-in-s3.html",
    check=check,
)
