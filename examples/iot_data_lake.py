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
    harden,
)
from cdk_ml_lens.core.nag import acknowledge


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
    acknowledge(
        inference.endpoint.endpoint,
        "SM8",
        "The pattern replaces the fleet at once; a ScoringRule takes a ModelEndpoint with a rollout.",
        pack="MlLens",
    )
    acknowledge(
        inference.endpoint.endpoint,
        "SM9[primary]",
        "One instance carries the example's traffic; Variant(autoscaling=) follows more.",
        pack="MlLens",
    )
    harden(stack, alarm_topic=inference.alarms.topic)
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
