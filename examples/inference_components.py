"""Two models on one endpoint, each with resources and copies of its own, down to zero."""

from __future__ import annotations

import aws_cdk as cdk

from cdk_ml_lens import (
    Autoscaling,
    ComponentResources,
    InferenceComponent,
    ModelArtifact,
    ModelEndpoint,
    ModelSource,
    NotifyTopic,
    Variant,
    harden,
)
from cdk_ml_lens.core.nag import acknowledge


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "InferenceComponents")
    # region: components
    idle = Autoscaling(min_capacity=0, max_capacity=2)
    host = ModelEndpoint(stack, "Host", variants=[Variant(name="shared", autoscaling=idle)])
    for name in ("Pumps", "Turbines"):
        InferenceComponent(
            stack,
            name,
            endpoint=host,
            model=ModelSource.sklearn(ModelArtifact.from_parameters(stack, f"{name}Model")),
            resources=ComponentResources(memory_mb=1024, cpus=0.5),
            autoscaling=idle,
        )
    # endregion
    acknowledge(
        host.endpoint,
        "SM8",
        "Components are updated one by one; a rollout of the host stages new instances.",
        pack="MlLens",
    )
    acknowledge(
        host.config,
        "MO1",
        "The example ends at the endpoint; a DriftMonitor on these captures reads them.",
        pack="MlLens",
    )
    harden(stack, alarm_topic=NotifyTopic(stack, "Told").topic)
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
