"""API2: a public REST API stands behind a web ACL."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.exports import is_exported
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Resource, Template


def check(template: Template) -> Iterator[Finding]:
    """Find stages of public REST APIs with no association to a web ACL; WAF does not serve HTTP APIs."""
    associations = template.of_type("AWS::WAFv2::WebACLAssociation")
    for stage in template.of_type("AWS::ApiGateway::Stage"):
        parts = _parts(template, stage)
        guarded = any(template.target(one.get("ResourceArn")) in parts for one in associations)
        elsewhere = any(is_exported(template, part.logical_id) for part in parts)
        if not guarded and not elsewhere and _is_public(template, stage):
            yield Finding(logical_id=stage.logical_id, message="no AWS::WAFv2::WebACLAssociation names the stage")


def _parts(template: Template, stage: Resource) -> list[Resource]:
    api = template.target(stage.get("RestApiId"))
    return [stage] if api is None else [stage, api]


def _is_public(template: Template, stage: Resource) -> bool:
    api = template.target(stage.get("RestApiId"))
    return api is not None and "PRIVATE" not in api.each("EndpointConfiguration.Types")


RULE = Rule(
    id="API2",
    title="Public REST APIs have a web ACL",
    practices=("MLSEC05-BP01",),
    severity=Severity.WARNING,
    explanation="Floods and scripted probing of the model reach the authorizer and the endpoint unhindered.",
    fix="Add an AWS::WAFv2::WebACL with a rate-based rule and an AWS::WAFv2::WebACLAssociation with the stage.",
    source="https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-control-access-aws-waf.html",
    check=check,
)
