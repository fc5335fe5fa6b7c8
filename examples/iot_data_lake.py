"""A fleet's telemetry and its model's predictions in one lake; the scorer takes the features that training has."""

from __future__ import annotations

import aws_cdk as cdk

from cdk_ml_lens import (
    DataLake,
    FeatureSet,
    Ingestion,
    IotDataLake,
    IotInference,
    ModelArtifact,
    ModelSource,
    Sensor,
    Variant,
)


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "IotDataLakeExample")
    # region: lake
    features = FeatureSet.standard(sensors=[Sensor(name="temperature", minimum=-60, maximum=200)])
    lake = DataLake(stack, "Lake")
    artifact = ModelArtifact.from_parameters(stack, "ModelArtifact")
    inference = IotInference(
        stack,
        "Turbines",
        variants=[Variant(name="primary", model=ModelSource.sklearn(artifact))],
        features=features,
        ingestion=Ingestion.streamed(),
        encryption_key=lake.encryption_key,
    )
    prepared = IotDataLake(
        stack,
        "Preparation",
        lake=lake,
        fleet=inference.fleet,
        feature_set=features,
        alarm_topic=inference.alarms.topic,
    )
    prepared.add_predictions(inference.log)
    # endregion
    prepared.outputs(stack)
    return stack


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
