"""ModelEndpoint: a SageMaker AI endpoint of any shape, closed by default, updated behind guardrails."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_ml_lens.core.alarms import AlarmRule, add_alarm
from cdk_ml_lens.core.cost import COST_TAG
from cdk_ml_lens.core.keys import key_or_new
from cdk_ml_lens.hosting import endpoint_parts as parts
from cdk_ml_lens.hosting import rendering
from cdk_ml_lens.hosting.asynchronous import AsyncInference
from cdk_ml_lens.hosting.capture import EVERYTHING, DataCapture
from cdk_ml_lens.hosting.endpoint_rules import check_endpoint, kept_traffic
from cdk_ml_lens.hosting.execution_role import ExecutionRole
from cdk_ml_lens.hosting.reference import EndpointReference
from cdk_ml_lens.hosting.rollback import RollbackAlarmSet
from cdk_ml_lens.hosting.rollout import Rollout
from cdk_ml_lens.hosting.rollout_rendering import deployment
from cdk_ml_lens.hosting.variants import AnyVariant
from cdk_ml_lens.hosting.verified_rollout import VerifiedRollout

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
    variants : sequence of Variant or ServerlessVariant
        One to ten production variants; one serverless variant; or one variant and its shadow.
    endpoint_name : str, optional
        Name that clients use. Default: made from the construct's path, so it stays the same for life.
    asynchronous : AsyncInference, optional
        Requests and answers go through S3. Default: real time.
    rollout : Rollout, optional
        How updates reach the endpoint, with rollback alarms and a `VerifiedRollout`. Default: all at once, unguarded.
    capture : DataCapture, optional
        Traffic to keep; ``None`` keeps nothing. Default: every request and answer; nothing when serverless.
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
    rollback_alarms : list of Alarm
        Empty without a rollout.

    Raises
    ------
    PropError
        When SageMaker AI would refuse the combination; each line names the source.

    Notes
    -----
    The containers run with network isolation (but serverless ones, which know none). A new model or variant replaces
    models and configuration and updates the endpoint in place. Source:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-sagemaker-endpoint.html. Lens best
    practices MLSEC02-BP01, MLSEC03-BP01, MLSEC03-BP02, MLOPS06-BP02, MLREL04-BP02, MLREL05-BP01.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        variants: Sequence[AnyVariant],
        endpoint_name: str | None = None,
        asynchronous: AsyncInference | None = None,
        rollout: Rollout | None = None,
        capture: DataCapture | None = EVERYTHING,
        encryption_key: kms.IKey | None = None,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        check_endpoint(variants, asynchronous=asynchronous, rollout=rollout, capture=capture)
        rendering.check_endpoint_name(endpoint_name)
        super().__init__(scope, id)
        self.encryption_key = key_or_new(self, encryption_key, description="Encrypts an endpoint's volumes and logs")
        self._alarm_topic = alarm_topic
        name = rendering.stable_name(self) if endpoint_name is None else endpoint_name
        self._reference = EndpointReference(self, name)
        self.variant_names = tuple(variant.name for variant in variants)
        self.log_group = parts.log_group(self, name, self.encryption_key)
        models = [variant.model for variant in variants if variant.model is not None]
        self.execution = ExecutionRole(self, "Execution", models=models, log_group=self.log_group)
        self.role = self.execution.role
        self.models = [parts.model(self, variant, self.execution) for variant in variants if variant.model is not None]
        self.config = parts.config(self, variants, self.models, self.execution, self.encryption_key)
        parts.capture(self, self.config, kept_traffic(variants, capture), self.execution, self.encryption_key)
        parts.asynchronous(self, self.config, asynchronous, self.execution, self.encryption_key)
        self.rollback_alarms: list[cloudwatch.Alarm] = []
        self.endpoint = sagemaker.CfnEndpoint(
            self,
            "Endpoint",
            endpoint_name=name,
            endpoint_config_name=self.config.attr_endpoint_config_name,
            tags=[cdk.CfnTag(key=COST_TAG, value=self.node.path[-256:])],
        )
        self.endpoint.node.add_dependency(self.log_group, self.execution)
        if rollout is not None:
            self._guard(rollout)
        parts.autoscaling(self, name, variants, self.endpoint, asynchronous=asynchronous is not None)
        if any(variant.autoscaling is not None for variant in variants):
            self.endpoint.retain_all_variant_properties = True
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

    @property
    def endpoint_arn(self) -> str:
        """ARN of the endpoint."""
        return self._reference.endpoint_arn

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

    def _guard(self, rollout: Rollout) -> None:
        """Put the rollback alarms before the endpoint, the guardrails on it, and the verification after it."""
        guards = RollbackAlarmSet(
            self,
            "Rollback",
            endpoint=self._reference,
            variants=self.variant_names,
            wanted=rollout.alarms,
            topic=self._alarm_topic,
        )
        self.rollback_alarms = guards.alarms
        self.endpoint.deployment_config = deployment(rollout, guards.names)
        self.endpoint.node.add_dependency(guards)
        VerifiedRollout(
            self,
            "Verified",
            endpoint=self.endpoint,
            config=self.config,
            endpoint_arn=self.endpoint_arn,
            encryption_key=self.encryption_key,
        )
