"""ModelEndpoint: a SageMaker AI endpoint of one or more production variants, closed by default."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_ml_lens.core.alarms import AlarmRule, add_alarm
from cdk_ml_lens.core.bucket import SecureBucket
from cdk_ml_lens.core.keys import key_or_new
from cdk_ml_lens.hosting import rendering
from cdk_ml_lens.hosting.execution_role import ExecutionRole
from cdk_ml_lens.hosting.reference import EndpointReference
from cdk_ml_lens.hosting.variants import DataCapture, Variant, check_variants

ERROR_ALARM = AlarmRule(
    metric="Invocation5XXErrors",
    threshold=0,
    periods=3,
    datapoints=2,
    description="The model's container fails: see /aws/sagemaker/Endpoints/<name>.",
)
LATENCY_ALARM = AlarmRule(
    metric="ModelLatency",
    statistic="p99",
    threshold=1_000_000,  # microseconds
    periods=3,
    description="One in a hundred answers takes over a second.",
)


class ModelEndpoint(Construct):
    """An endpoint: models and configuration with generated names, a stable endpoint name, a role of its own.

    Parameters
    ----------
    scope, id
        As for every construct.
    variants : sequence of Variant
        One to ten production variants.
    endpoint_name : str, optional
        Name that clients use. Default: made from the construct's path, so it stays the same for life.
    capture : DataCapture, optional
        Traffic to keep; ``None`` keeps nothing. Default: every request and answer.
    encryption_key : IKey, optional
        Customer managed key of storage volumes, captures and logs. Default: a new one.
    alarm_topic : ITopic, optional
        Who hears of errors and slow answers. Default: nobody.

    Attributes
    ----------
    endpoint : CfnEndpoint
    config : CfnEndpointConfig
    models : list of CfnModel
    role : Role
    log_group : LogGroup

    Notes
    -----
    The containers run with network isolation. A new model or variant replaces models and configuration and updates the
    endpoint in place. Source:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-sagemaker-endpoint.html. Lens best
    practices MLSEC02-BP01, MLSEC03-BP01, MLSEC03-BP02, MLOPS06-BP02.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        variants: Sequence[Variant],
        endpoint_name: str | None = None,
        capture: DataCapture | None = DataCapture(),  # noqa: B008 - a frozen value
        encryption_key: kms.IKey | None = None,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        check_variants(variants)
        rendering.check_endpoint_name(endpoint_name)
        super().__init__(scope, id)
        self._key = key_or_new(self, encryption_key, description="Encrypts an endpoint's volumes, captures and logs")
        self._alarm_topic = alarm_topic
        name = rendering.stable_name(self) if endpoint_name is None else endpoint_name
        self.log_group = self._logs(name)
        self._execution = ExecutionRole(
            self, "Execution", models=[variant.model for variant in variants], log_group=self.log_group
        )
        self.role = self._execution.role
        self.models = [self._model(variant) for variant in variants]
        self.config = self._config(variants, capture)
        self.endpoint = sagemaker.CfnEndpoint(
            self, "Endpoint", endpoint_name=name, endpoint_config_name=self.config.attr_endpoint_config_name
        )
        self.endpoint.node.add_dependency(self.log_group)
        self._reference = EndpointReference(self, name)
        self.variant_names = tuple(variant.name for variant in variants)
        for variant_name in self.variant_names:
            self.alarm(f"{variant_name}ErrorAlarm", ERROR_ALARM, variant=variant_name)
            self.alarm(f"{variant_name}LatencyAlarm", LATENCY_ALARM, variant=variant_name)

    @staticmethod
    def from_endpoint_name(scope: Construct, endpoint_name: str) -> EndpointReference:
        """Refer to an endpoint of this account and region that something else made."""
        return EndpointReference(scope, endpoint_name)

    @property
    def endpoint_name(self) -> str:
        """Name of the endpoint; using it makes the user wait for the endpoint."""
        return self.endpoint.attr_endpoint_name

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow ``sagemaker:InvokeEndpoint`` on this endpoint only."""
        return self._reference.grant_invoke(grantee)

    def metric(self, name: str, *, variant: str) -> cloudwatch.Metric:
        """Return one metric of a variant, in ``AWS/SageMaker``."""
        return self._reference.metric(name, variant=variant)

    def metric_invocations(self, *, variant: str) -> cloudwatch.Metric:
        """Return the number of requests to a variant."""
        return self._reference.metric("Invocations", variant=variant)

    def metric_model_latency(self, *, variant: str) -> cloudwatch.Metric:
        """Return the time a variant's container takes to answer, in microseconds."""
        return self._reference.metric("ModelLatency", variant=variant)

    def alarm(self, id: str, rule: AlarmRule, *, variant: str) -> cloudwatch.Alarm:
        """Make an alarm on a metric of a variant."""
        return add_alarm(self, id, metric=self.metric(rule.metric, variant=variant), rule=rule, topic=self._alarm_topic)

    def _logs(self, name: str) -> logs.LogGroup:
        return logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/sagemaker/Endpoints/{name}",  # SageMaker AI writes to this name and no other
            encryption_key=self._key,
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )

    def _model(self, variant: Variant) -> sagemaker.CfnModel:
        model = sagemaker.CfnModel(
            self,
            f"Model{variant.name}",
            execution_role_arn=self.role.role_arn,
            enable_network_isolation=True,
            primary_container=rendering.container(self, variant.model),
        )
        model.node.add_dependency(self._execution)
        return model

    def _config(self, variants: Sequence[Variant], capture: DataCapture | None) -> sagemaker.CfnEndpointConfig:
        config = sagemaker.CfnEndpointConfig(
            self,
            "Config",
            kms_key_id=rendering.volume_key(variants, self._key),
            production_variants=[
                rendering.production_variant(variant, model.attr_model_name)
                for variant, model in zip(variants, self.models, strict=True)
            ],
        )
        if capture is not None:
            target = self._capture_bucket(capture)
            self._execution.write_captures(target, capture.prefix, self._key)
            config.data_capture_config = rendering.data_capture(capture, target, self._key)
        config.node.add_dependency(self._execution)
        return config

    def _capture_bucket(self, capture: DataCapture) -> s3.IBucket:
        if capture.bucket is not None:
            return capture.bucket
        return SecureBucket(self, "Captures", encryption_key=self._key, expire_days=365).bucket
