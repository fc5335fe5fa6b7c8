"""API1: every call of a model is a known caller's."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Resource, Template


def check(template: Template) -> Iterator[Finding]:
    """Find methods, routes and function URLs that anyone may call; CORS preflights must be open."""
    for method in template.of_type("AWS::ApiGateway::Method"):
        if _is_open(method) and not _has_policy(template, method):
            yield Finding(logical_id=method.logical_id, message="AuthorizationType is NONE, and an API key is no proof")
    for route in filter(_is_open, template.of_type("AWS::ApiGatewayV2::Route")):
        yield Finding(logical_id=route.logical_id, message="AuthorizationType is NONE")
    for url in template.of_type("AWS::Lambda::Url"):
        if url.get("AuthType") == "NONE":
            yield Finding(logical_id=url.logical_id, message="AuthType is NONE")


def _is_open(entry: Resource) -> bool:
    """Tell whether a method or route asks nobody who they are, and is no CORS preflight."""
    verb = str(entry.get("HttpMethod", entry.get("RouteKey", "")))
    return bool(entry.get("AuthorizationType", "NONE") == "NONE") and not verb.startswith("OPTIONS")


def _has_policy(template: Template, method: Resource) -> bool:
    """Tell whether a resource policy decides instead, or the API is of another template."""
    api = template.target(method.get("RestApiId"))
    return api is None or api.get("Policy") is not None


RULE = Rule(
    id="API1",
    title="APIs know their callers",
    practices=("MLSEC06-BP01",),
    severity=Severity.ERROR,
    explanation="Anyone can use the model at your cost, and copy it by asking it often enough.",
    fix="Set AuthorizationType to AWS_IAM, COGNITO_USER_POOLS, JWT or CUSTOM.",
    source="https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-control-access-to-api.html",
    check=check,
)
