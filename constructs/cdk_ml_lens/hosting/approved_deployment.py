"""ApprovedDeployment: an approved model version reaches an endpoint behind guardrails, or it stays as it was."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_ml_lens.core.alarms import AlarmRule, add_alarm
from cdk_ml_lens.core.event_rules import tell
from cdk_ml_lens.core.keys import key_or_new
from cdk_ml_lens.hosting import deployment_environment as making
from cdk_ml_lens.hosting import endpoint_parts, rendering
from cdk_ml_lens.hosting.deploy_asl import FAILURE, SOURCE, SUCCEEDED
from cdk_ml_lens.hosting.deployment_parts import DeploymentParts, Registry
from cdk_ml_lens.hosting.deployment_shape import EndpointShape
from cdk_ml_lens.hosting.endpoint import ERROR_ALARM, LATENCY_ALARM
from cdk_ml_lens.hosting.execution_role import ExecutionRole
from cdk_ml_lens.hosting.reference import EndpointReference
from cdk_ml_lens.hosting.rollback import RollbackAlarmSet
from cdk_ml_lens.hosting.rollout import Rollout
from cdk_ml_lens.hosting.shift_checks import SyntheticRequest

MACHINE_ALARMS = {
    "FailedAlarm": AlarmRule(
        metric="ExecutionsFailed", threshold=0, description="A version was not deployed; the event tells why."
    ),
    "TimedOutAlarm": AlarmRule(
        metric="ExecutionsTimedOut", threshold=0, description="A deployment hung: see the endpoint, start it again."
    ),
    "AbortedAlarm": AlarmRule(
        metric="ExecutionsAborted", threshold=0, description="A deployment was stopped by hand: start it again."
    ),
}


class ApprovedDeployment(Construct):
    """A state machine that brings each approved version of a registry to one endpoint, one at a time.

    An approval starts it; start it by hand with ``{"model_package_arn": "…"}``.

    Parameters
    ----------
    scope, id
        As for every construct.
    registry : ModelRegistry or RegistryReference
        Whose versions are deployed.
    verification : SyntheticRequest
        What a new version must answer, once it serves.
    endpoint_name : str, optional
        Name that clients use. Default: made from the construct's path.
    shape : EndpointShape, optional
        Variant, instances, images, network, capture. Default: ``EndpointShape()``.
    rollout : Rollout, optional
        How an update reaches the endpoint, and what rolls it back. Default: ``Rollout.canary()``.
    encryption_key : IKey, optional
        Customer managed key of volumes, captures and logs. Default: a new one.
    alarm_topic : ITopic, optional
        Who hears of failed deployments, errors and slow answers. Default: nobody.

    Raises
    ------
    PropError
        When SageMaker AI would refuse the name, or there are too many rollback alarms.

    Attributes
    ----------
    endpoint : EndpointReference
        The endpoint; it lives at run time, not in CloudFormation, and outlives the stack.
    machine : DefinedMachine
    role : Role
        Role of the endpoint.
    log_group : LogGroup
        Log of the endpoint.
    capture_bucket : IBucket or None
        Where captured traffic goes, below ``capture_prefix``.
    rollback_alarms : list of Alarm
    parts : DeploymentParts
        For `RebuildEndpoint`.

    Notes
    -----
    Failure leaves the endpoint serving what it served. Source:
    https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html. Lens best practices MLREL04-BP01,
    MLREL04-BP02, MLOPS06-BP01, MLOPS06-BP02.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        registry: Registry,
        verification: SyntheticRequest,
        endpoint_name: str | None = None,
        shape: EndpointShape | None = None,
        rollout: Rollout | None = None,
        encryption_key: kms.IKey | None = None,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        rendering.check_endpoint_name(endpoint_name)
        super().__init__(scope, id)
        wanted = EndpointShape() if shape is None else shape
        guarded = Rollout.canary() if rollout is None else rollout
        self._alarm_topic = alarm_topic
        self.encryption_key = key_or_new(self, encryption_key, description="Encrypts an endpoint's volumes and logs")
        name = rendering.stable_name(self).lower() if endpoint_name is None else endpoint_name
        self.endpoint = EndpointReference(self, name)
        self.variant_name = wanted.variant_name
        self.log_group = endpoint_parts.log_group(self, name, self.encryption_key)
        execution = making.execution_role(self, registry, wanted, self.log_group)
        self.role = execution.role
        self.capture_prefix = None if wanted.capture is None else wanted.capture.prefix.strip("/")
        self.capture_bucket = making.capture_bucket(self, wanted.capture, execution, self.encryption_key)
        guards = RollbackAlarmSet(
            self,
            "Rollback",
            endpoint=self.endpoint,
            variants=[self.variant_name],
            wanted=guarded.alarms,
            topic=alarm_topic,
        )
        self.rollback_alarms = guards.alarms
        self.parts = self._parts(registry, wanted, guarded, verification, execution, guards.names)
        self.machine = self.parts.machine(self, "approved")
        self.machine.machine.node.add_dependency(guards, execution, self.log_group)
        making.start_on_approval(self, registry, self.machine)
        self._watch()

    @property
    def endpoint_name(self) -> str:
        """Name of the endpoint."""
        return self.endpoint.endpoint_name

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow ``sagemaker:InvokeEndpoint`` on this endpoint only."""
        return self.endpoint.grant_invoke(grantee)

    def grant_start(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to start a deployment by hand; the version must be approved all the same."""
        return self.machine.grant_start(grantee)

    def metric(self, name: str) -> cloudwatch.Metric:
        """Return one metric of the endpoint's variant, in ``AWS/SageMaker``."""
        return self.endpoint.metric(name, variant=self.variant_name)

    def alarm(self, id: str, rule: AlarmRule) -> cloudwatch.Alarm:
        """Make an alarm on a metric of the endpoint's variant."""
        return add_alarm(self, id, metric=self.metric(rule.metric), rule=rule, topic=self._alarm_topic)

    def on_succeeded(self, id: str, target: events.IRuleTarget) -> events.Rule:
        """Send the event of each deployment that serves and is verified to a target."""
        return self._on(id, target, SUCCEEDED)

    def on_failed(self, id: str, target: events.IRuleTarget) -> events.Rule:
        """Send the event of each deployment that was refused, rolled back or not verified to a target."""
        return self._on(id, target, FAILURE)

    def _on(self, id: str, target: events.IRuleTarget, detail_type: str) -> events.Rule:
        pattern = events.EventPattern(
            source=[SOURCE], detail_type=[detail_type], detail={"endpoint": [self.endpoint_name]}
        )
        return tell(self, id, pattern=pattern, target=target)

    def _parts(
        self,
        registry: Registry,
        shape: EndpointShape,
        rollout: Rollout,
        request: SyntheticRequest,
        execution: ExecutionRole,
        alarm_names: list[str],
    ) -> DeploymentParts:
        prefix = cdk.Names.unique_resource_name(self, max_length=40, separator="-").lower()
        prepare = making.prepare_function(self, registry, shape, prefix=prefix, role_arn=execution.role.role_arn)
        return DeploymentParts(
            endpoint=self.endpoint,
            prefix=prefix,
            registry=registry,
            execution=execution,
            prepare=prepare,
            record=making.record_function(self, registry),
            guards=making.guards(self, rollout, alarm_names),
            alarm_arns=[alarm.alarm_arn for alarm in (*self.rollback_alarms, *rollout.alarms.own)],
            rollout=rollout,
            request=request,
            encryption_key=self.encryption_key,
        )

    def _watch(self) -> None:
        for id, rule in MACHINE_ALARMS.items():
            add_alarm(self, id, metric=self.machine.metric(rule.metric), rule=rule, topic=self._alarm_topic)
        self.alarm("ErrorAlarm", ERROR_ALARM)
        self.alarm("LatencyAlarm", LATENCY_ALARM)
