"""The whole way from a sensor to an alert and back, with bounds for each feature and an address to write to."""

from __future__ import annotations

import aws_cdk as cdk

from cdk_ml_lens import DeviceFleet, Feature, Ingestion, IotInference, ModelArtifact, ModelSource, Variant


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
    return stack


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
