"""InferenceApi: closed, checked twice, throttled, logged without payload; every prop's effect and refusal."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns

from cdk_ml_lens import (
    ApiAccess,
    ApiLimits,
    Feature,
    Firewall,
    InferenceApi,
    InferenceContract,
    IsolatedNetwork,
    ModelEndpoint,
    PropError,
)
from cdk_ml_lens.hosting.inference_api_schema import CHECKED
from ml_lens_runtime import http_env, http_schema
from ml_lens_runtime.http_env import ApiSettings
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]
FEATURES = [Feature(name="temperature", minimum=-60, maximum=200), Feature(name="vibration")]
CONTRACT = InferenceContract.of_features(FEATURES)
WEB_ACL = "arn:aws:wafv2:us-east-1:111122223333:regional/webacl/team/0f1e"


def make(stack: cdk.Stack, contract: InferenceContract = CONTRACT, **props: Any) -> InferenceApi:
    endpoint = ModelEndpoint.from_endpoint_name(stack, "turbines")
    return InferenceApi(stack, "Api", endpoint=endpoint, contract=contract, **props)


def handler(template: Template) -> dict[str, Any]:
    (function,) = [
        res["Properties"]
        for res in template.of_type("AWS::Lambda::Function").values()
        if res["Properties"]["Handler"] == "handlers.answer_request.handler"
    ]
    return dict(function)


def variables(template: Template) -> dict[str, str]:
    return dict(handler(template)["Environment"]["Variables"])


def source(module: ModuleType) -> str:
    return inspect.getsource(module)


def responses(template: Template) -> dict[str, dict[str, Any]]:
    found = template.of_type("AWS::ApiGateway::GatewayResponse").values()
    return {res["Properties"]["ResponseType"]: res["Properties"] for res in found}


def test_minimal_takes_signed_requests_that_meet_the_schema(stack: cdk.Stack, synth: Synth) -> None:
    make(stack)
    template = synth(stack)
    method = template.only("AWS::ApiGateway::Method")
    assert (method["HttpMethod"], method["AuthorizationType"], method["ApiKeyRequired"]) == ("POST", "AWS_IAM", False)
    assert template.only("AWS::ApiGateway::Resource")["PathPart"] == "predictions"
    validator = template.only("AWS::ApiGateway::RequestValidator")
    assert validator["ValidateRequestBody"] is validator["ValidateRequestParameters"] is True
    model = template.only("AWS::ApiGateway::Model")
    assert model["Schema"]["$schema"] == "http://json-schema.org/draft-04/schema#"
    instance = model["Schema"]["properties"]["instances"]["items"]
    assert instance["required"] == ["temperature", "vibration"]
    assert instance["properties"]["temperature"] == {"type": "number", "minimum": -60, "maximum": 200}
    assert list(method["RequestModels"]) == ["application/json"]


def test_minimal_is_regional_traced_throttled_and_speaks_modern_tls_only(stack: cdk.Stack, synth: Synth) -> None:
    make(stack)
    template = synth(stack)
    api, stage = template.only("AWS::ApiGateway::RestApi"), template.only("AWS::ApiGateway::Stage")
    assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert (api["SecurityPolicy"].split("_2025")[0], api["EndpointAccessMode"]) == (
        "SecurityPolicy_TLS13_1_2_PQ",
        "STRICT",
    )
    assert stage["TracingEnabled"] is True
    (settings,) = stage["MethodSettings"]
    assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == (50, 100)


def test_function_runs_in_private_subnets_and_may_invoke_the_one_endpoint(stack: cdk.Stack, synth: Synth) -> None:
    make(stack)
    template = synth(stack)
    assert len(handler(template)["VpcConfig"]["SubnetIds"]) == 2
    assert template.only("AWS::EC2::VPCEndpoint")["PrivateDnsEnabled"] is True
    (invoke,) = [s for s in template.statements("HandlerRole") if s["Action"] == "sagemaker:InvokeEndpoint"]
    assert json.dumps(invoke["Resource"]).endswith(':endpoint/turbines"]]}')


def test_times_are_nested_model_then_function_then_gateway(stack: cdk.Stack, synth: Synth) -> None:
    make(stack, limits=ApiLimits(model_seconds=25))
    template = synth(stack)
    model, function = int(variables(template)["MODEL_SECONDS"]), handler(template)["Timeout"]
    gateway = template.only("AWS::ApiGateway::Method")["Integration"]["TimeoutInMillis"] / 1000
    assert model < function < gateway <= 29


def test_handler_reads_what_the_construct_sets_and_checks_the_same_schema(stack: cdk.Stack, synth: Synth) -> None:
    make(stack, limits=ApiLimits(max_body_bytes=5_000))
    template = synth(stack)
    settings = ApiSettings.parse(variables(template))
    assert settings.schema == template.only("AWS::ApiGateway::Model")["Schema"]
    assert settings.features == ("temperature", "vibration")
    assert (settings.endpoint_name, settings.max_body_bytes) == ("turbines", 5_000)
    read = set(re.findall(r'"([A-Z][A-Z_]{3,})"', source(http_env)))
    assert read == set(variables(template))


def test_every_keyword_that_a_contract_may_use_is_checked_by_the_handler() -> None:
    read = set(re.findall(r'"([a-z][A-Za-z]+)"', source(http_schema)))
    assert read >= CHECKED


def test_logs_are_json_encrypted_and_without_payload(stack: cdk.Stack, synth: Synth) -> None:
    make(stack)
    template = synth(stack)
    stage = template.only("AWS::ApiGateway::Stage")
    line = json.loads(stage["AccessLogSetting"]["Format"])
    assert {"request_id", "status", "caller", "address", "milliseconds", "error"} <= set(line)
    assert not any("body" in value or "header" in value or "querystring" in value for value in line.values())
    (settings,) = stage["MethodSettings"]
    assert (settings["LoggingLevel"], settings["DataTraceEnabled"]) == ("OFF", False)
    groups = template.of_type("AWS::Logs::LogGroup").values()
    assert len(groups) == 3  # flows, function, access
    assert all("KmsKeyId" in group["Properties"] for group in groups)


def test_gateways_own_errors_have_the_handlers_form_and_say_when_to_come_again(stack: cdk.Stack, synth: Synth) -> None:
    make(stack)
    found = responses(synth(stack))
    statuses = {name: response.get("StatusCode") for name, response in found.items()}
    assert statuses == {
        "DEFAULT_4XX": None, "DEFAULT_5XX": None, "BAD_REQUEST_BODY": "400", "UNAUTHORIZED": "401",
        "ACCESS_DENIED": "403", "REQUEST_TOO_LARGE": "413", "THROTTLED": "429", "QUOTA_EXCEEDED": "429",
        "INTEGRATION_FAILURE": "502", "INTEGRATION_TIMEOUT": "504",
    }  # fmt: skip
    for response in found.values():
        body = response["ResponseTemplates"]["application/json"].replace("$context.error.messageString", '"m"')
        assert set(json.loads(body)) == {"error", "message", "request_id"}
        assert response["ResponseParameters"]["gatewayresponse.header.X-Request-Id"] == "context.requestId"
    assert found["THROTTLED"]["ResponseParameters"]["gatewayresponse.header.Retry-After"] == "'1'"


def test_a_new_schema_is_a_new_deployment(tmp_path: Any) -> None:
    def deployment(maximum: float) -> str:
        app = cdk.App(outdir=str(tmp_path / "out"))
        stack = cdk.Stack(app, "Test")
        make(stack, InferenceContract.of_features([Feature(name="x", minimum=0, maximum=maximum)]))
        template = Template(app.synth().get_stack_by_name("Test").template)
        ((id, _),) = template.of_type("AWS::ApiGateway::Deployment").items()
        return id

    one = deployment(1)
    assert one == deployment(1)
    assert one != deployment(2)


def test_alarms_are_on_errors_latency_and_refused_callers_and_wired(stack: cdk.Stack, synth: Synth) -> None:
    make(stack, alarm_topic=sns.Topic(stack, "Ops"))
    template = synth(stack)
    alarms = [res["Properties"] for res in template.of_type("AWS::CloudWatch::Alarm").values()]
    names = [alarm["MetricName"] for alarm in alarms]
    assert sorted(names) == ["5XXError", "Latency", "Throttled"]
    assert all(alarm["AlarmActions"] and alarm["OKActions"] for alarm in alarms)
    by_name = dict(zip(names, alarms, strict=True))
    assert (by_name["5XXError"]["Statistic"], by_name["Latency"]["ExtendedStatistic"]) == ("Average", "p99")
    counted = template.only("AWS::Logs::MetricFilter")
    assert counted["FilterPattern"] == '{ $.status = "429" }'
    (transformation,) = counted["MetricTransformations"]
    (dimension,) = by_name["Throttled"]["Dimensions"]
    assert (transformation["MetricNamespace"], transformation["MetricName"]) == (
        by_name["Throttled"]["Namespace"],
        "Throttled",
    )
    assert transformation["Dimensions"] == [{"Key": dimension["Name"], "Value": "$.api_id"}]
    logged = json.loads(template.only("AWS::ApiGateway::Stage")["AccessLogSetting"]["Format"])
    assert (logged["api_id"], logged["status"]) == ("$context.apiId", "$context.status")


def test_grant_is_the_one_method_of_the_one_stage(stack: cdk.Stack, synth: Synth) -> None:
    make(stack).grant_invoke(iam.Role(stack, "Caller", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com")))
    (statement,) = synth(stack).statements("Caller")
    assert statement["Action"] == "execute-api:Invoke"
    resource = statement["Resource"]["Fn::Join"][1]
    assert resource[-1] == "/POST/predictions"
    assert "*" not in json.dumps(resource)


def test_cognito_asks_for_a_token_with_one_of_the_scopes(
    stack: cdk.Stack, synth: Synth, nag: Callable[[cdk.Stack], list[str]]
) -> None:
    pool = cognito.UserPool.from_user_pool_id(stack, "Pool", "us-east-1_abc")
    make(stack, access=ApiAccess.cognito(pool, scopes=["predict/ask"]))
    assert nag(stack) == []
    template = synth(stack)
    method = template.only("AWS::ApiGateway::Method")
    assert (method["AuthorizationType"], method["AuthorizationScopes"]) == ("COGNITO_USER_POOLS", ["predict/ask"])
    assert template.only("AWS::ApiGateway::Authorizer")["Type"] == "COGNITO_USER_POOLS"


def test_each_client_has_a_key_of_a_plan_with_rate_and_quota(
    stack: cdk.Stack, synth: Synth, nag: Callable[[cdk.Stack], list[str]]
) -> None:
    access = ApiAccess.api_key(clients=["shop", "app"], requests_per_day=1000)
    make(stack, access=access, limits=ApiLimits(requests_per_second=5, burst=7))
    assert nag(stack) == []
    template = synth(stack)
    assert template.only("AWS::ApiGateway::Method")["ApiKeyRequired"] is True
    assert (
        len(template.of_type("AWS::ApiGateway::ApiKey")) == len(template.of_type("AWS::ApiGateway::UsagePlanKey")) == 2
    )
    plan = template.only("AWS::ApiGateway::UsagePlan")
    assert plan["Throttle"] == {"BurstLimit": 7, "RateLimit": 5}
    assert plan["Quota"] == {"Limit": 1000, "Period": "DAY"}


def test_full_takes_any_schema_in_a_given_network_behind_a_given_firewall(
    stack: cdk.Stack, synth: Synth, nag: Callable[[cdk.Stack], list[str]]
) -> None:
    network = IsolatedNetwork(stack, "Shared", zones=3)
    schema = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "maxLength": 100}}}
    make(
        stack,
        InferenceContract.of_schema(schema, model_version="2.1"),
        network=network,
        access=ApiAccess.iam(firewall=Firewall.existing(WEB_ACL)),
        limits=ApiLimits(max_body_bytes=1024, model_seconds=1),
        encryption_key=kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:us-east-1:111122223333:key/k"),
    )
    assert nag(stack) == []
    template = synth(stack)
    assert len(template.of_type("AWS::EC2::VPC")) == 1
    assert len(handler(template)["VpcConfig"]["SubnetIds"]) == 3
    settings = ApiSettings.parse(variables(template))
    assert (settings.features, settings.content_type, settings.model_version) == ((), "application/json", "2.1")
    association = template.only("AWS::WAFv2::WebACLAssociation")
    assert association["WebACLArn"] == WEB_ACL
    assert "/stages/" in json.dumps(association["ResourceArn"])
    assert template.of_type("AWS::WAFv2::WebACL") == {}


def test_managed_firewall_blocks_bad_inputs_and_floods_but_not_large_bodies(stack: cdk.Stack, synth: Synth) -> None:
    make(stack, access=ApiAccess.iam(firewall=Firewall.managed(requests_per_5_minutes=500)))
    acl = synth(stack).only("AWS::WAFv2::WebACL")
    rules = {rule["Name"]: rule for rule in acl["Rules"]}
    assert rules["RatePerAddress"]["Statement"]["RateBasedStatement"]["Limit"] == 500
    assert rules["RatePerAddress"]["Action"] == {"Block": {}}
    (counted,) = rules["Common"]["Statement"]["ManagedRuleGroupStatement"]["RuleActionOverrides"]
    assert counted == {"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}}
    assert all(rule["VisibilityConfig"]["SampledRequestsEnabled"] is False for rule in acl["Rules"])


def test_two_apis_share_the_accounts_log_role_which_outlives_them(stack: cdk.Stack, synth: Synth) -> None:
    endpoint, network = ModelEndpoint.from_endpoint_name(stack, "e"), IsolatedNetwork(stack, "Network")
    for name in ("One", "Two"):
        InferenceApi(stack, name, endpoint=endpoint, contract=CONTRACT, network=network)
    template = synth(stack)
    ((account, resource),) = template.of_type("AWS::ApiGateway::Account").items()
    assert resource["DeletionPolicy"] == "Retain"
    role = resource["Properties"]["CloudWatchRoleArn"]["Fn::GetAtt"][0]
    assert template.resources[role]["DeletionPolicy"] == "Retain"
    assert template.resources[role]["Properties"]["Policies"]  # in the role: it is retained with it
    for stage in template.of_type("AWS::ApiGateway::Stage"):
        assert account in template.depends_on(stage)


def test_the_accounts_log_role_is_left_to_others_when_the_context_says_so(app: cdk.App, synth: Synth) -> None:
    app.node.set_context("cdk-ml-lens:apiGatewayLogRole", "false")
    stack = cdk.Stack(app, "Test")
    make(stack)
    assert synth(stack).of_type("AWS::ApiGateway::Account") == {}


def test_nag_is_clean(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    make(stack, access=ApiAccess.iam(firewall=Firewall.managed()))
    assert nag(stack) == []


def test_fails_to_grant_where_callers_are_not_known_by_iam(stack: cdk.Stack) -> None:
    api = make(stack, access=ApiAccess.api_key(clients=["shop"]))
    with pytest.raises(PropError, match="access must be iam to grant by IAM, got 'api_key'"):
        api.grant_invoke(iam.Role(stack, "Caller", assumed_by=iam.AccountRootPrincipal()))


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: ApiAccess(kind="none"),
        "kind must be iam, cognito or api_key .* got 'none'; an API that anybody may call",
    ),
    (lambda: ApiAccess(kind="cognito"), "user_pool must be given"),
    (lambda: ApiAccess.api_key(clients=[]), "clients must name at least one client"),
    (lambda: ApiAccess.api_key(clients=["a", "a"]), "clients must name at least one client, each once"),
    (lambda: ApiAccess.api_key(clients=["a b"]), "with letters, digits and hyphens"),
    (lambda: ApiAccess.api_key(clients=["a"], requests_per_day=0), "requests_per_day must be at least 1"),
    (lambda: Firewall.existing(WEB_ACL.replace("regional", "global")), "web_acl_arn must be a regional web ACL"),
    (lambda: Firewall.managed(requests_per_5_minutes=9), "requests_per_5_minutes must be between 10"),
    (lambda: ApiLimits(requests_per_second=0), "requests_per_second must be between 0.1 and 10000"),
    (lambda: ApiLimits(burst=5001), "burst must be between 1 and 5000"),
    (lambda: ApiLimits(max_body_bytes=3_000_000), "max_body_bytes must be between 16 and 2097152"),
    (lambda: ApiLimits(model_seconds=26), "model_seconds must be between 1 and 25 .* API Gateway gives up after 29 s"),
    (lambda: InferenceContract.of_features([]), "features must name at least one feature"),
    (lambda: InferenceContract.of_features(FEATURES, max_instances=0), "max_instances must be between 1 and 10000"),
    (lambda: InferenceContract.of_features(FEATURES, content_type="x"), "content_type must be one of"),  # type: ignore[arg-type]
    (lambda: InferenceContract.of_schema({"format": "date"}), r"schema must use only .* at \$ .* got \['format'\]"),
    (lambda: InferenceContract.of_schema({"properties": {"a": {"$ref": "#"}}}), r"at \$\.a .* got \['\$ref'\]"),
    (lambda: InferenceContract.of_schema({"anyOf": [{"type": "text"}]}), r"have a type of .* at \$\.anyOf\[0\]"),
    (lambda: InferenceContract.of_schema({"items": {"pattern": "("}}), "regular expression as pattern"),
    (lambda: InferenceContract.of_schema({"exclusiveMinimum": 3}), "boolean exclusiveMinimum .* draft 4"),
    (lambda: InferenceContract.of_schema({"additionalProperties": 3}), "be a schema .* got 3"),
    (
        lambda: InferenceContract.of_features([Feature(name=f"f{i**9}", minimum=i / 7) for i in range(400)]),
        "schema must take at most .* bytes when deflated",
    ),
]


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[str(number) for number in range(len(REFUSED))])
def test_fails_before_anything_is_made(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(PropError, match=message):
        call()
