"""IAM6: no access keys that last."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find access keys of users."""
    for key in template.of_type("AWS::IAM::AccessKey"):
        yield Finding(logical_id=key.logical_id, message="an access key is made, which lasts until somebody deletes it")


RULE = Rule(
    id="IAM6",
    title="No access keys of users",
    practices=("MLSEC03-BP01",),
    severity=Severity.ERROR,
    explanation="The key ends up in code, in logs or on a laptop, and works from everywhere as long as it is there.",
    fix="Remove the AWS::IAM::AccessKey; give people federated access, and software a role.",
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#bp-workloads-use-roles",
    check=check,
)
