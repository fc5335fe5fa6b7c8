"""Rules of APIs: callers are known, limited, validated and logged."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.review.reports import findings

API = ("AWS::ApiGateway::RestApi", {"Name": "predictions"})


def method(**properties: Any) -> dict[str, Any]:
    body = {"RestApiId": {"Ref": "Api"}, "HttpMethod": "POST", **properties}
    return {"Api": API, "Method": ("AWS::ApiGateway::Method", body)}


def stage(**properties: Any) -> dict[str, Any]:
    return {"Api": API, "Stage": ("AWS::ApiGateway::Stage", {"RestApiId": {"Ref": "Api"}, **properties})}


def test_an_open_method_is_found_even_with_an_api_key() -> None:
    assert findings("API1", method(AuthorizationType="NONE", ApiKeyRequired=True)) == ["Method"]
    assert findings("API1", method()) == ["Method"]


@pytest.mark.parametrize(
    "properties",
    [
        {"AuthorizationType": "AWS_IAM"},
        {"AuthorizationType": {"Ref": "KindOfAParameter"}},
        {"HttpMethod": "OPTIONS"},
        {"RestApiId": {"Fn::ImportValue": "api"}},
    ],
)
def test_methods_that_are_closed_or_unknown_pass(properties: dict[str, Any]) -> None:
    assert findings("API1", method(**properties)) == []


def test_a_resource_policy_of_the_api_counts() -> None:
    private = {**method(), "Api": ("AWS::ApiGateway::RestApi", {"Policy": {"Statement": []}})}
    assert findings("API1", private) == []


def test_open_routes_and_function_urls_are_found() -> None:
    routes = {
        "Open": ("AWS::ApiGatewayV2::Route", {"RouteKey": "POST /predictions"}),
        "Preflight": ("AWS::ApiGatewayV2::Route", {"RouteKey": "OPTIONS /predictions"}),
        "Closed": ("AWS::ApiGatewayV2::Route", {"RouteKey": "GET /", "AuthorizationType": "JWT"}),
        "OpenUrl": ("AWS::Lambda::Url", {"AuthType": "NONE"}),
        "ClosedUrl": ("AWS::Lambda::Url", {"AuthType": "AWS_IAM"}),
        "ChosenUrl": ("AWS::Lambda::Url", {"AuthType": {"Ref": "Auth"}}),
    }
    assert findings("API1", routes) == ["Open", "OpenUrl"]


def test_a_public_stage_without_web_acl_is_found() -> None:
    assert findings("API2", stage()) == ["Stage"]


def test_a_stage_with_a_web_acl_or_without_public_endpoint_passes() -> None:
    arn = {"Fn::Join": ["", ["arn:aws:apigateway:eu-west-1::/restapis/", {"Ref": "Api"}, "/stages/live"]]}
    association = {"Guard": ("AWS::WAFv2::WebACLAssociation", {"ResourceArn": arn, "WebACLArn": "arn"})}
    assert findings("API2", {**stage(), **association}) == []
    private = {**stage(), "Api": ("AWS::ApiGateway::RestApi", {"EndpointConfiguration": {"Types": ["PRIVATE"]}})}
    assert findings("API2", private) == []
    assert findings("API2", {"Stage": ("AWS::ApiGateway::Stage", {"RestApiId": {"Ref": "ApiOfAParameter"}})}) == []


def test_an_association_of_another_api_does_not_count() -> None:
    other = {
        "Other": API,
        "Guard": ("AWS::WAFv2::WebACLAssociation", {"ResourceArn": {"Ref": "Other"}, "WebACLArn": "arn"}),
    }
    assert findings("API2", {**stage(), **other}) == ["Stage"]


def test_a_stage_without_rate_limit_is_found() -> None:
    assert findings("API3", stage()) == ["Stage"]
    assert findings("API3", stage(MethodSettings=[{"HttpMethod": "*", "LoggingLevel": "INFO"}])) == ["Stage"]
    assert findings("API3", {"Stage": ("AWS::ApiGatewayV2::Stage", {"StageName": "live"})}) == ["Stage"]


def test_a_rate_limit_of_stage_or_usage_plan_passes() -> None:
    assert findings("API3", stage(MethodSettings=[{"ThrottlingRateLimit": 0}])) == []
    plan = {"Throttle": {"RateLimit": 5}, "ApiStages": [{"ApiId": {"Ref": "Api"}, "Stage": {"Ref": "Stage"}}]}
    assert findings("API3", {**stage(), "Plan": ("AWS::ApiGateway::UsagePlan", plan)}) == []
    limited = {"StageName": "live", "DefaultRouteSettings": {"ThrottlingRateLimit": 5}}
    assert findings("API3", {"Stage": ("AWS::ApiGatewayV2::Stage", limited)}) == []


def test_a_method_with_a_body_needs_validator_and_schema() -> None:
    assert findings("API4", method()) == ["Method[Validator]", "Method[Models]"]
    assert findings("API4", method(RequestValidatorId="v", RequestModels={"application/json": "m"})) == []
    assert findings("API4", method(HttpMethod="GET")) == []
    assert findings("API4", method(Integration={"Type": "MOCK"})) == []


def test_a_stage_without_access_logs_is_found() -> None:
    assert findings("API5", stage()) == ["Stage"]
    assert findings("API5", stage(AccessLogSetting={"DestinationArn": "arn"})) == []
    assert findings("API5", {"Stage": ("AWS::ApiGatewayV2::Stage", {"AccessLogSettings": {"Format": "{}"}})}) == []
