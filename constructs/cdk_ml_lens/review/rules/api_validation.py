"""API4: what is no request of the contract never reaches the model."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template

_WITH_BODY = ("POST", "PUT", "PATCH", "ANY")


def check(template: Template) -> Iterator[Finding]:
    """Find methods that take a body and have no validator, or no schema for it."""
    for method in template.of_type("AWS::ApiGateway::Method"):
        if method.get("HttpMethod") not in _WITH_BODY or method.get("Integration.Type") == "MOCK":
            continue
        if method.get("RequestValidatorId") is None:
            yield Finding(logical_id=method.logical_id, message="no RequestValidatorId", detail="Validator")
        if not method.get("RequestModels"):
            yield Finding(
                logical_id=method.logical_id, message="no schema of the body in RequestModels", detail="Models"
            )


RULE = Rule(
    id="API4",
    title="APIs validate requests",
    practices=("MLSEC05-BP01",),
    severity=Severity.WARNING,
    explanation="Malformed and oversized input costs a call of the endpoint, and finds the bugs of the model's code.",
    fix="Set RequestValidatorId to a validator with ValidateRequestBody, and RequestModels to the schema.",
    source="https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html",
    check=check,
)
