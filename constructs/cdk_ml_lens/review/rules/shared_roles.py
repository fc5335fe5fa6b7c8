"""OPS8: models of different endpoints have roles of their own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find execution roles that models of several endpoint configurations share; variants of one may."""
    users: dict[str, dict[str, None]] = defaultdict(dict)
    for config in template.of_type("AWS::SageMaker::EndpointConfig"):
        for model in template.targets(config.get("ProductionVariants")):
            role = template.target(model.get("ExecutionRoleArn"))
            if model.type == "AWS::SageMaker::Model" and role is not None:
                users[role.logical_id][config.logical_id] = None
    for logical_id, configs in users.items():
        if len(configs) > 1:
            yield Finding(logical_id=logical_id, message=f"models of {' and '.join(configs)} share the role")


RULE = Rule(
    id="OPS8",
    title="Endpoints share no execution role",
    practices=("MLREL01-BP02", "MLSEC03-BP01"),
    severity=Severity.WARNING,
    explanation="Each model can read the artifacts and write the captures of the others; a change hits all.",
    fix="Give the models of each endpoint an AWS::IAM::Role of their own in ExecutionRoleArn.",
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html",
    check=check,
)
