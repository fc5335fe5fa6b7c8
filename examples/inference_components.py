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
    Variant,
)


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
    return stack


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
