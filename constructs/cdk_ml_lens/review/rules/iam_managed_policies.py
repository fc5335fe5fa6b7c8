"""IAM1: no policies of AWS that allow a whole service, or the account."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import intrinsics
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template

_OF_AWS = ":iam::aws:policy/"
# Broad although the name does not say so: each allows its actions on every resource of the account.
_BROAD = frozenset(
    {
        "AdministratorAccess",
        "AmazonElasticMapReduceRole",
        "AmazonElasticMapReduceforEC2Role",
        "AmazonS3ReadOnlyAccess",
        "AmazonSageMakerReadOnly",
        "AWSGlueServiceRole",
        "AWSIoTThingsRegistration",
        "DataScientist",
        "DatabaseAdministrator",
        "PowerUserAccess",
        "ReadOnlyAccess",
        "SystemAdministrator",
    }
)


def check(template: Template) -> Iterator[Finding]:
    """Find roles, users and groups with a broad policy of AWS."""
    for identity in template.of_type("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"):
        for arn in map(intrinsics.text, identity.each("ManagedPolicyArns")):
            name = arn.rpartition("/")[2]
            if _OF_AWS in arn and (name.endswith("FullAccess") or name in _BROAD):
                yield Finding(
                    logical_id=identity.logical_id,
                    message=f"{name} allows its actions on every resource of the account",
                    detail=f"Policy::{name}",
                )


RULE = Rule(
    id="IAM1",
    title="No broad managed policies",
    practices=("MLSEC03-BP01",),
    severity=Severity.ERROR,
    explanation="Whoever gets the role's credentials, a model's container for one, gets the whole service with it.",
    fix="Replace the entry of ManagedPolicyArns by a policy with the actions that are called, on their resources.",
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
    check=check,
)
