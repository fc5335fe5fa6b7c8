"""An endpoint that is updated by a canary, rolled back by alarms, verified, and scaled by what it carries."""

from __future__ import annotations

import aws_cdk as cdk

from cdk_ml_lens import (
    Autoscaling,
    ModelArtifact,
    ModelEndpoint,
    ModelSource,
    NotifyTopic,
    RollbackAlarms,
    Rollout,
    ScheduledCapacity,
    Variant,
    load_test_sizing,
)
from cdk_ml_lens.core.nag import acknowledge


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "Rollout")
    model = ModelSource.sklearn(ModelArtifact.from_parameters(stack, "Model"))
    # region: scaling
    night = ScheduledCapacity(cron="0 20 * * ? *", min_capacity=2, max_capacity=2, timezone="Europe/Berlin")
    day = ScheduledCapacity(cron="0 6 * * ? *", min_capacity=2, max_capacity=8, timezone="Europe/Berlin")
    scaling = Autoscaling(
        min_capacity=2,
        max_capacity=8,
        target=load_test_sizing(max_requests_per_second=40),
        availability="high",
        schedule=(night, day),
    )
    # endregion
    # region: rollout
    endpoint = ModelEndpoint(
        stack,
        "Endpoint",
        variants=[Variant(name="primary", model=model, instance_count=2, autoscaling=scaling)],
        rollout=Rollout.canary(
            percent=10,
            bake_minutes=15,
            alarms=RollbackAlarms(server_error_rate=0.01, latency_p99_ms=400, overhead_p99_ms=100, silence=True),
            replaces=("primary",),
        ),
        alarm_topic=NotifyTopic(stack, "Alarms").topic,
    )
    # endregion
    acknowledge(
        endpoint.config,
        "MO1",
        "The example ends at the endpoint; a DriftMonitor on these captures reads them.",
        pack="MlLens",
    )
    acknowledge(
        stack,
        "OPS1",
        "An example: a budget belongs to the account. One AWS::Budgets::Budget in the app ends this.",
        pack="MlLens",
    )
    return stack


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
