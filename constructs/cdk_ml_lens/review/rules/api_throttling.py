"""API3: callers cannot use up the endpoint."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Resource, Template


def check(template: Template) -> Iterator[Finding]:
    """Find stages without a rate limit of their own; the account's limit is shared by all APIs."""
    for stage in template.of_type("AWS::ApiGateway::Stage"):
        settings = [one for one in stage.each("MethodSettings") if isinstance(one, dict)]
        limited = any("ThrottlingRateLimit" in one or "Fn::If" in one for one in settings)
        if not limited and not _has_plan(template, stage):
            yield Finding(
                logical_id=stage.logical_id, message="no ThrottlingRateLimit in MethodSettings, no usage plan"
            )
    for stage in template.of_type("AWS::ApiGatewayV2::Stage"):
        routes = stage.get("RouteSettings")
        if stage.get("DefaultRouteSettings.ThrottlingRateLimit") is None and routes is None:
            yield Finding(logical_id=stage.logical_id, message="no ThrottlingRateLimit in DefaultRouteSettings")


def _has_plan(template: Template, stage: Resource) -> bool:
    """Tell whether a usage plan with a throttle names the stage."""
    plans = template.of_type("AWS::ApiGateway::UsagePlan")
    return any(plan.get("Throttle") and plan in template.users_of(stage.logical_id) for plan in plans)


RULE = Rule(
    id="API3",
    title="APIs limit the rate of calls",
    practices=("MLSEC05-BP01",),
    severity=Severity.WARNING,
    explanation="One caller takes the endpoint's capacity from all others, and gets enough answers to copy the model.",
    fix="Set ThrottlingRateLimit and ThrottlingBurstLimit for all methods in MethodSettings (DefaultRouteSettings).",
    source="https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html",
    check=check,
)
