"""API5: who called the model, and when, is written down."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template

_SETTINGS = {"AWS::ApiGateway::Stage": "AccessLogSetting", "AWS::ApiGatewayV2::Stage": "AccessLogSettings"}


def check(template: Template) -> Iterator[Finding]:
    """Find stages without access logs."""
    for stage in template.of_type(*_SETTINGS):
        name = _SETTINGS[stage.type]
        if stage.get(name) is None:
            yield Finding(logical_id=stage.logical_id, message=f"no {name}")


RULE = Rule(
    id="API5",
    title="APIs write access logs",
    practices=("MLSEC06-BP02", "MLCOST06-BP04"),
    severity=Severity.WARNING,
    explanation="After an incident nobody can tell who asked the model what, or from where.",
    fix="Set AccessLogSetting.DestinationArn (AccessLogSettings for HTTP APIs) to a log group, and a JSON format.",
    source="https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html",
    check=check,
)
