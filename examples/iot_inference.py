"""The whole way from a sensor to an alert and back, with bounds for each feature and an address to write to."""

from __future__ import annotations

import aws_cdk as cdk

from cdk_ml_lens import DeviceFleet, Feature, Ingestion, IotInference, ModelArtifact, ModelSource, Variant
from cdk_ml_lens.core.nag import acknowledge


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "Plant")
    # region: inference
    artifact = ModelArtifact.from_parameters(stack, "ModelArtifact")
    inference = IotInference(
        stack,
        "Turbines",
        variants=[Variant(name="primary", model=ModelSource.sklearn(artifact), instance_count=2)],
        features=[
            Feature(name="temperature", minimum=-60, maximum=200),
            Feature(name="vibration", minimum=0),
            Feature(name="pressure", minimum=0),
            Feature(name="rotation_speed", minimum=0),
        ],
        ingestion=Ingestion.queued(batch=200, window_seconds=2),
        emails=["operations@example.com"],
        fleet=DeviceFleet(stack, "Fleet", topic_prefix="plant/turbines"),
    )
    # endregion
    cdk.CfnOutput(stack, "EndpointName", value=inference.endpoint.endpoint_name)
    acknowledge(
        inference.endpoint.endpoint,
        "SM8",
        "The pattern replaces the fleet at once; a ScoringRule takes a ModelEndpoint with a rollout.",
        pack="MlLens",
    )
    acknowledge(
        inference.endpoint.endpoint,
        "SM9[primary]",
        "Two instances carry a fleet of known size; Variant(autoscaling=) follows one that grows.",
        pack="MlLens",
    )
    acknowledge(
        stack,
        "OPS1",
        "An example: a budget belongs to the account. One AWS::Budgets::Budget in the app ends this.",
        pack="MlLens",
    )
    acknowledge(
        stack,
        "IOT4",
        "No list of serial numbers here; device_fleet.py passes pre_provisioning_hook=, which looks them up.",
        pack="MlLens",
    )
    return stack


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
