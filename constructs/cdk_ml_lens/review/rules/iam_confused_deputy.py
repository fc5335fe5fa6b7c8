"""IAM5: a service takes a role only on behalf of the own account, where AWS advises the condition."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import statements
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template

# Services whose own guide shows the condition in a role's trust policy. Others (EC2, Lambda, Glue …) give no source.
_ADVISED = frozenset(
    {
        "bedrock",
        "codebuild",
        "emr-serverless",
        "iot",
        "personalize",
        "pipes",
        "sagemaker",
        "scheduler",
        "states",
        "vpc-flow-logs",
    }
)
_CONDITIONS = frozenset(
    {"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths", "sts:externalid"}
)


def check(template: Template) -> Iterator[Finding]:
    """Find trust in a service of the list with none of the conditions."""
    for statement in statements.trust(template):
        if not statement.allows or statement.condition_keys & _CONDITIONS:
            continue
        for service in statement.services:
            if service.split(".")[0] in _ADVISED:
                yield Finding(
                    logical_id=statement.owner.logical_id,
                    message=f"{service} may take the role for a resource of any account",
                    detail=f"Service::{service}",
                )


RULE = Rule(
    id="IAM5",
    title="Trust in a service is held to the own account",
    practices=("MLSEC03-BP01", "MLSEC04-BP01"),
    severity=Severity.WARNING,
    explanation="A service that works for everyone could be led to use your role for somebody else (confused deputy).",
    fix="Add StringEquals aws:SourceAccount, or ArnLike aws:SourceArn, to the statement of AssumeRolePolicyDocument.",
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html",
    check=check,
)
