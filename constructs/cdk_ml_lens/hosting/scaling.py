"""Renders `Autoscaling` to Application Auto Scaling: the right dimension and metric for each shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct, IDependable

from cdk_ml_lens.hosting.autoscaling import Autoscaling

_DEFAULT_TARGETS = {
    "SageMakerVariantInvocationsPerInstance": 1000.0,
    "SageMakerVariantConcurrentRequestsPerModelHighResolution": 5.0,
    "SageMakerVariantProvisionedConcurrencyUtilization": 0.7,
    "SageMakerInferenceComponentInvocationsPerCopy": 1000.0,
    "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution": 5.0,
}
_INSTANCE_METRICS = {
    "invocations_per_instance": "SageMakerVariantInvocationsPerInstance",
    "concurrent_requests": "SageMakerVariantConcurrentRequestsPerModelHighResolution",
}
_COPY_METRICS = {
    "invocations_per_instance": "SageMakerInferenceComponentInvocationsPerCopy",
    "concurrent_requests": "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution",
}
_COOLDOWN_IN, _COOLDOWN_OUT = 300, 60  # seconds
_BACKLOG_PER_INSTANCE = 5.0  # requests


@dataclass(frozen=True, kw_only=True)
class Scaled:
    """What is scaled: the resource id, its dimension, and the predefined metric of its shape."""

    resource: str
    dimension: str
    metric: str | None


def instances(endpoint: str, variant: str, autoscaling: Autoscaling) -> Scaled:
    """Return the instances of a real-time variant."""
    return Scaled(
        resource=f"endpoint/{endpoint}/variant/{variant}",
        dimension="sagemaker:variant:DesiredInstanceCount",
        metric=_INSTANCE_METRICS[autoscaling.metric],
    )


def backlog(endpoint: str, variant: str) -> Scaled:
    """Return the instances of an asynchronous variant."""
    return Scaled(
        resource=f"endpoint/{endpoint}/variant/{variant}",
        dimension="sagemaker:variant:DesiredInstanceCount",
        metric=None,
    )


def provisioned(endpoint: str, variant: str) -> Scaled:
    """Return the provisioned concurrency of a serverless variant."""
    return Scaled(
        resource=f"endpoint/{endpoint}/variant/{variant}",
        dimension="sagemaker:variant:DesiredProvisionedConcurrency",
        metric="SageMakerVariantProvisionedConcurrencyUtilization",
    )


def copies(component: str, autoscaling: Autoscaling) -> Scaled:
    """Return the copies of an inference component."""
    return Scaled(
        resource=f"inference-component/{component}",
        dimension="sagemaker:inference-component:DesiredCopyCount",
        metric=_COPY_METRICS[autoscaling.metric],
    )


class ScaledTarget(Construct):
    """One scalable target with its target tracking, its schedule, and steps out of zero where that is allowed.

    Attributes
    ----------
    target : CfnScalableTarget

    Notes
    -----
    Sources: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html,
    https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-autoscale.html.
    """

    def __init__(
        self, scope: Construct, id: str, *, scaled: Scaled, autoscaling: Autoscaling, after: Sequence[IDependable]
    ) -> None:
        super().__init__(scope, id)
        self.target = scaling.CfnScalableTarget(
            self,
            "Target",
            service_namespace="sagemaker",
            resource_id=scaled.resource,
            scalable_dimension=scaled.dimension,
            min_capacity=autoscaling.min_capacity,
            max_capacity=autoscaling.max_capacity,
            scheduled_actions=_schedule(autoscaling),
        )
        self.target.node.add_dependency(*after)
        if scaled.metric is not None:
            self._track_predefined(scaled.metric, autoscaling)

    def track_backlog(self, endpoint: str, autoscaling: Autoscaling) -> None:
        """Keep the requests that wait per instance near the target."""
        kind = scaling.CfnScalingPolicy
        metric = kind.CustomizedMetricSpecificationProperty(
            namespace="AWS/SageMaker",
            metric_name="ApproximateBacklogSizePerInstance",
            statistic="Average",
            dimensions=[kind.MetricDimensionProperty(name="EndpointName", value=endpoint)],
        )
        wanted = _BACKLOG_PER_INSTANCE if autoscaling.target is None else autoscaling.target
        self._policy("Tracking", target_value=wanted, customized_metric_specification=metric)

    def step_out_of_zero(self, metric: cloudwatch.Metric) -> None:
        """Add one instance or copy as soon as there is work and nothing to do it."""
        kind = scaling.CfnScalingPolicy
        policy = kind(
            self,
            "OutOfZero",
            policy_name=f"{self.node.addr[:16]}-out-of-zero",
            policy_type="StepScaling",
            scaling_target_id=self.target.ref,
            step_scaling_policy_configuration=kind.StepScalingPolicyConfigurationProperty(
                adjustment_type="ChangeInCapacity",
                cooldown=_COOLDOWN_OUT,
                metric_aggregation_type="Maximum",
                step_adjustments=[kind.StepAdjustmentProperty(metric_interval_lower_bound=0, scaling_adjustment=1)],
            ),
        )
        alarm = metric.create_alarm(
            self,
            "WorkWithoutCapacity",
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=2,
            datapoints_to_alarm=1,
            treat_missing_data=cloudwatch.TreatMissingData.MISSING,
            alarm_description="Requests wait and no instance runs.",
        )
        resource = alarm.node.default_child
        assert isinstance(resource, cloudwatch.CfnAlarm)
        resource.alarm_actions = [policy.ref]

    def _track_predefined(self, metric: str, autoscaling: Autoscaling) -> None:
        kind = scaling.CfnScalingPolicy
        wanted = _DEFAULT_TARGETS[metric] if autoscaling.target is None else autoscaling.target
        specification = kind.PredefinedMetricSpecificationProperty(predefined_metric_type=metric)
        self._policy("Tracking", target_value=wanted, predefined_metric_specification=specification)

    def _policy(self, id: str, **tracking: Any) -> None:
        kind = scaling.CfnScalingPolicy
        kind(
            self,
            id,
            policy_name=f"{self.node.addr[:16]}-tracking",
            policy_type="TargetTrackingScaling",
            scaling_target_id=self.target.ref,
            target_tracking_scaling_policy_configuration=kind.TargetTrackingScalingPolicyConfigurationProperty(
                scale_in_cooldown=_COOLDOWN_IN, scale_out_cooldown=_COOLDOWN_OUT, **tracking
            ),
        )


def _schedule(autoscaling: Autoscaling) -> list[scaling.CfnScalableTarget.ScheduledActionProperty] | None:
    kind = scaling.CfnScalableTarget
    actions = [
        kind.ScheduledActionProperty(
            scheduled_action_name=f"schedule-{number}",
            schedule=f"cron({entry.cron})",
            timezone=entry.timezone,
            scalable_target_action=kind.ScalableTargetActionProperty(
                min_capacity=entry.min_capacity, max_capacity=entry.max_capacity
            ),
        )
        for number, entry in enumerate(autoscaling.schedule)
    ]
    return actions or None
