"""The flagship: IoT Core rules to a SageMaker AI endpoint and back to an action; on request with a data lake."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_ml_lens import (
    DataLake,
    Feature,
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
from stacks.inference_outputs import outputs

TURBINE = "temperature,vibration,pressure,rotation_speed"


class IotInferenceStack(cdk.Stack):
    """One fleet, one anomaly model, alerts and commands.

    Context
    -------
    model_artifact : path of ``model.tar.gz``; without it, the template takes two parameters at deployment.
    features : comma-separated names of the sensors. Default: those of the simulated turbine.
    lake : ``true`` keeps telemetry and predictions in a data lake, and the model takes window features of the sensors.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id, description="Sensor readings scored by an anomaly model, alerts and commands back")
        names = [name.strip() for name in str(self.node.try_get_context("features") or TURBINE).split(",")]
        if self.node.try_get_context("lake") in (True, "true"):
            self._with_lake(names)
        else:
            self._tell(outputs(self._inference([Feature(name=name) for name in names]), names))

    def _with_lake(self, names: list[str]) -> None:
        features = FeatureSet.standard(sensors=[Sensor(name=name) for name in names])
        lake = DataLake(self, "Lake")
        # In the order of arrival, because a reading's window is what had arrived before it.
        inference = self._inference(features, ingestion=Ingestion.streamed(), encryption_key=lake.encryption_key)
        fleet, topic = inference.fleet, inference.alarms.topic
        harden(lake, alarm_topic=topic)  # made after the lake, whose key the inference shares
        prepared = IotDataLake(self, "Preparation", lake=lake, fleet=fleet, feature_set=features, alarm_topic=topic)
        predictions = prepared.add_predictions(inference.log)
        prepared.outputs(self)
        table = {"PredictionTable": f"{predictions.database_name}.{predictions.name}"}
        self._tell(table | outputs(inference, features.names))

    def _inference(
        self,
        features: list[Feature] | FeatureSet,
        ingestion: Ingestion | None = None,
        encryption_key: kms.IKey | None = None,
    ) -> IotInference:
        path = self.node.try_get_context("model_artifact")
        artifact = (
            ModelArtifact.from_parameters(self, "ModelArtifact")
            if path is None
            else ModelArtifact.from_file(self, "ModelArtifact", path)
        )
        inference = IotInference(
            self,
            "Inference",
            variants=[Variant(name="primary", model=ModelSource.sklearn(artifact))],
            features=features,
            ingestion=ingestion,
            encryption_key=encryption_key,
        )
        acknowledge(self, "OPS1", "A budget belongs to the account: one of the app's, or of your own.", pack="MlLens")
        acknowledge(
            inference.fleet.template,
            "IOT4",
            "The simulated fleet has no list of serial numbers; pre_provisioning_hook= looks up those of a real one.",
            pack="MlLens",
        )
        acknowledge(
            inference.endpoint.endpoint,
            "SM8",
            "The pattern replaces the fleet at once; stacks/model_hosting.py stages updates.",
            pack="MlLens",
        )
        acknowledge(
            inference.endpoint.endpoint,
            "SM9[primary]",
            "One instance scores the simulated fleet; Variant(autoscaling=) follows a real one.",
            pack="MlLens",
        )
        return inference

    def _tell(self, named: dict[str, str]) -> None:
        for key, value in named.items():
            cdk.CfnOutput(self, key, value=value)
