"""Renders a `Rollout` to the endpoint's DeploymentConfig."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_sagemaker as sagemaker

from cdk_ml_lens.hosting.rollout import Rollout


def deployment(rollout: Rollout, alarm_names: Sequence[str]) -> sagemaker.CfnEndpoint.DeploymentConfigProperty:
    """Return the guardrails of an update."""
    kind = sagemaker.CfnEndpoint
    wait = rollout.bake_minutes * 60
    rollback = kind.AutoRollbackConfigProperty(alarms=[kind.AlarmProperty(alarm_name=name) for name in alarm_names])
    if rollout.strategy == "ROLLING":
        size = kind.CapacitySizeProperty(type="CAPACITY_PERCENT", value=rollout.percent)
        return kind.DeploymentConfigProperty(
            auto_rollback_configuration=rollback,
            rolling_update_policy=kind.RollingUpdatePolicyProperty(
                maximum_batch_size=size,
                wait_interval_in_seconds=wait,
                maximum_execution_timeout_in_seconds=rollout.timeout_minutes * 60,
            ),
        )
    return kind.DeploymentConfigProperty(
        auto_rollback_configuration=rollback,
        blue_green_update_policy=kind.BlueGreenUpdatePolicyProperty(
            traffic_routing_configuration=_routing(rollout, wait),
            termination_wait_in_seconds=wait,
            maximum_execution_timeout_in_seconds=rollout.timeout_minutes * 60,
        ),
    )


def _routing(rollout: Rollout, wait: int) -> sagemaker.CfnEndpoint.TrafficRoutingConfigProperty:
    kind = sagemaker.CfnEndpoint
    size = kind.CapacitySizeProperty(type="CAPACITY_PERCENT", value=rollout.percent)
    return kind.TrafficRoutingConfigProperty(
        type=rollout.strategy,
        wait_interval_in_seconds=None if rollout.strategy == "ALL_AT_ONCE" else wait,
        canary_size=size if rollout.strategy == "CANARY" else None,
        linear_step_size=size if rollout.strategy == "LINEAR" else None,
    )
