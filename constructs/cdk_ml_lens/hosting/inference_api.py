"""InferenceApi: an HTTPS interface to an endpoint, closed to strangers, with every failure as a status of its own."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.alarms import AlarmRule, add_alarm
from cdk_ml_lens.core.errors import Fault, PropError
from cdk_ml_lens.core.function import HandlerFunction
from cdk_ml_lens.core.keys import key_or_new
from cdk_ml_lens.core.nag import acknowledge, explain
from cdk_ml_lens.core.refs import InvocableEndpoint, PrivateNetwork
from cdk_ml_lens.hosting import inference_api_method as method
from cdk_ml_lens.hosting.inference_api_access import ApiAccess
from cdk_ml_lens.hosting.inference_api_account import log_by_role
from cdk_ml_lens.hosting.inference_api_alarms import NAMESPACE, RULES, THROTTLED
from cdk_ml_lens.hosting.inference_api_answers import access_log_format, add_gateway_responses
from cdk_ml_lens.hosting.inference_api_contract import InferenceContract
from cdk_ml_lens.hosting.inference_api_limits import HANDLER_MARGIN, ApiLimits
from cdk_ml_lens.hosting.inference_api_reasons import STAGE_REASONS
from cdk_ml_lens.network.isolated_network import IsolatedNetwork

STAGE = "v1"
# TLS 1.2 and 1.3 with today's ciphers; AWS's default takes TLS 1.0. STRICT also refuses fronted host names. Source:
# https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies.html
TLS_POLICY = "SecurityPolicy_TLS13_1_2_PQ_2025_09"


class InferenceApi(Construct):
    """API Gateway → Lambda in private subnets → endpoint through PrivateLink; ``POST <url>predictions``.

    Parameters
    ----------
    scope, id
        As for every construct.
    endpoint : InvocableEndpoint
        Who predicts.
    contract : InferenceContract
        What a request looks like.
    network : PrivateNetwork, optional
        Where the function runs; it must reach SageMaker runtime. Default: a new `IsolatedNetwork`.
    access : ApiAccess, optional
        Who may call. Default: IAM.
    limits : ApiLimits, optional
        Rates, sizes and times. Default: those of `ApiLimits`.
    encryption_key : IKey, optional
        Customer managed key of environment and logs. Default: a new one.
    alarm_topic : ITopic, optional
        Who hears of errors, slow answers and refused callers. Default: nobody.

    Attributes
    ----------
    api : RestApi
    function : Function
    access_log : LogGroup
    network : PrivateNetwork

    Notes
    -----
    Every answer carries ``X-Request-Id``; predictions also carry variant and model version. The payload is in no log:
    API Gateway's execution logs, which would quote it, stay off. Lens figure 14; best practices MLSEC03-BP03,
    MLSEC06-BP01 and MLREL06-BP01.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoint: InvocableEndpoint,
        contract: InferenceContract,
        network: PrivateNetwork | None = None,
        access: ApiAccess = ApiAccess.iam(),  # noqa: B008 - a frozen value
        limits: ApiLimits = ApiLimits(),  # noqa: B008 - a frozen value
        encryption_key: kms.IKey | None = None,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        super().__init__(scope, id)
        key = key_or_new(self, encryption_key, description="Encrypts an inference API's environment and logs")
        self._access, self._alarm_topic = access, alarm_topic
        self.network = IsolatedNetwork(self, "Network", encryption_key=key) if network is None else network
        handler = HandlerFunction(
            self,
            "Handler",
            handler="answer_request",
            environment={
                **contract.environment(),
                "ENDPOINT_NAME": endpoint.endpoint_name,
                "MAX_BODY_BYTES": str(limits.max_body_bytes),
                "MODEL_SECONDS": str(limits.model_seconds),
            },
            encryption_key=key,
            timeout_seconds=limits.model_seconds + HANDLER_MARGIN,
            network=self.network,
        )
        handler.answers("API Gateway")
        endpoint.grant_invoke(handler.role)
        self.function = handler.function
        self.access_log = self._access_log(key)
        self.api = self._api(limits)
        self._method = method.add(self.api, contract=contract, access=access, function=self.function)
        add_gateway_responses(self.api)
        method.add_clients(self.api, access=access, limits=limits)
        self._protect()
        for name, rule in RULES.items():
            self.alarm(name, rule)

    @property
    def url(self) -> str:
        """Where to POST."""
        return self.api.url_for_path(method.PATH)

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow ``execute-api:Invoke`` on ``POST /predictions`` only.

        Raises
        ------
        PropError
            When callers do not show who they are by IAM: a grant would change nothing.
        """
        if self._access.kind != "iam":
            raise PropError(Fault(prop="access", rule="be iam to grant by IAM", value=self._access.kind))
        return grants.allow(grantee, ["execute-api:Invoke"], [self._method.method_arn])

    def metric(self, name: str) -> cloudwatch.Metric:
        """Return one metric: ``Throttled`` (answers with 429), or one of ``AWS/ApiGateway`` for the stage.

        Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
        """
        if name == THROTTLED:
            dimensions = {"ApiId": self.api.rest_api_id}
            return cloudwatch.Metric(namespace=NAMESPACE, metric_name=THROTTLED, dimensions_map=dimensions)
        return self.api.deployment_stage.metric(name)

    def alarm(self, id: str, rule: AlarmRule) -> cloudwatch.Alarm:
        """Make an alarm on a metric of the API."""
        return add_alarm(self, id, metric=self.metric(rule.metric), rule=rule, topic=self._alarm_topic)

    def _access_log(self, key: kms.IKey) -> logs.LogGroup:
        group = logs.LogGroup(
            self,
            "AccessLog",
            encryption_key=key,
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        logs.MetricFilter(
            self,
            "ThrottledFilter",
            log_group=group,
            filter_pattern=logs.FilterPattern.string_value("$.status", "=", "429"),
            metric_namespace=NAMESPACE,
            metric_name=THROTTLED,
            dimensions={"ApiId": "$.api_id"},
        )
        return group

    def _api(self, limits: ApiLimits) -> apigateway.RestApi:
        api = apigateway.RestApi(
            self,
            "Api",
            rest_api_name=cdk.Names.unique_resource_name(self, max_length=128),
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            cloud_watch_role=False,
            deploy_options=apigateway.StageOptions(
                stage_name=STAGE,
                tracing_enabled=True,
                logging_level=apigateway.MethodLoggingLevel.OFF,
                data_trace_enabled=False,
                throttling_rate_limit=limits.requests_per_second,
                throttling_burst_limit=limits.burst,
                access_log_destination=apigateway.LogGroupLogDestination(self.access_log),
                access_log_format=access_log_format(),
            ),
        )
        resource = api.node.default_child
        if isinstance(resource, apigateway.CfnRestApi):
            resource.security_policy, resource.endpoint_access_mode = TLS_POLICY, "STRICT"
        log_by_role(api.deployment_stage)
        acknowledge(
            api.deployment_stage,
            "APIG6",
            "Execution logs hold values of requests; the access log and X-Ray say who called and what happened.",
        )
        explain(api, STAGE_REASONS)
        return api

    def _protect(self) -> None:
        stage = self.api.deployment_stage
        if self._access.firewall is None:
            reason = "No firewall was asked for: callers are known and throttled. firewall= of ApiAccess takes one."
            acknowledge(stage, "APIG3", reason)
            acknowledge(stage, "API2", reason, pack="MlLens")
            explain(self.api, {"APIGWAssociatedWithWAF": reason})
            return
        from cdk_ml_lens.hosting.inference_api_firewall import ApiFirewall  # WAF's module is large

        ApiFirewall(self, "Firewall", firewall=self._access.firewall, stage=stage)
