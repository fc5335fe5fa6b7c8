"""The one method of an inference API: its schema, its validator, its authorization, and its clients' keys."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_

from cdk_ml_lens.core.nag import acknowledge
from cdk_ml_lens.hosting.inference_api_access import ApiAccess
from cdk_ml_lens.hosting.inference_api_contract import InferenceContract
from cdk_ml_lens.hosting.inference_api_limits import GATEWAY_SECONDS, ApiLimits

PATH = "/predictions"


def add(
    api: apigateway.RestApi, *, contract: InferenceContract, access: ApiAccess, function: lambda_.IFunction
) -> apigateway.Method:
    """Add ``POST /predictions``: checked by the schema, then by the handler."""
    model = apigateway.CfnModel(
        api, "Request", rest_api_id=api.rest_api_id, content_type="application/json", schema=dict(contract.schema)
    )
    deployment = api.latest_deployment
    if deployment is None:
        raise TypeError(f"{api.node.path} has no deployment")
    deployment.add_to_logical_id({"schema": contract.packed()})  # a new schema takes effect by a new deployment only
    method = api.root.resource_for_path(PATH).add_method(
        "POST",
        apigateway.LambdaIntegration(function, allow_test_invoke=False, timeout=cdk.Duration.seconds(GATEWAY_SECONDS)),
        request_models={"application/json": apigateway.Model.from_model_name(api, "RequestModel", model.ref)},
        request_validator=api.add_request_validator(
            "Validator", validate_request_body=True, validate_request_parameters=True
        ),
        authorization_type=_AUTHORIZATION[access.kind],
        authorizer=_authorizer(api, access),
        authorization_scopes=list(access.scopes) or None,
        api_key_required=access.kind == "api_key",
    )
    if access.kind != "cognito":
        acknowledge(method, "COG4", f"Callers are known by {access.kind}; ApiAccess.cognito takes a user pool instead.")
    if access.kind == "api_key":
        reason = "Callers send an API key of a usage plan, as was asked for by ApiAccess.api_key."
        acknowledge(method, "APIG4", reason)
        acknowledge(method, "API1", f"{reason} ApiAccess.iam and .cognito know them by a signature.", pack="MlLens")
    return method


def add_clients(api: apigateway.RestApi, *, access: ApiAccess, limits: ApiLimits) -> None:
    """Make a key for each client of a plan that has the API's own rate."""
    if access.kind != "api_key":
        return
    daily = access.requests_per_day
    plan = api.add_usage_plan(
        "Plan",
        throttle=apigateway.ThrottleSettings(rate_limit=limits.requests_per_second, burst_limit=limits.burst),
        quota=None if daily is None else apigateway.QuotaSettings(limit=daily, period=apigateway.Period.DAY),
        api_stages=[apigateway.UsagePlanPerApiStage(stage=api.deployment_stage)],
    )
    for client in access.clients:
        plan.add_api_key(api.add_api_key(f"Key{client}"))


_AUTHORIZATION = {
    "iam": apigateway.AuthorizationType.IAM,
    "cognito": apigateway.AuthorizationType.COGNITO,
    "api_key": apigateway.AuthorizationType.NONE,
}


def _authorizer(api: apigateway.RestApi, access: ApiAccess) -> apigateway.IAuthorizer | None:
    if access.user_pool is None:
        return None
    return apigateway.CognitoUserPoolsAuthorizer(api, "Authorizer", cognito_user_pools=[access.user_pool])
