"""The flagship: IoT Core rules to a SageMaker AI endpoint and back to an action."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from cdk_ml_lens import Feature, IotInference, ModelArtifact, ModelSource, Variant

TURBINE = "temperature,vibration,pressure,rotation_speed"


class IotInferenceStack(cdk.Stack):
    """One fleet, one anomaly model, alerts and commands.

    Context
    -------
    model_artifact : path of ``model.tar.gz``; without it, the template takes two parameters at deployment.
    features : comma-separated names of the model's inputs. Default: those of the simulated turbine.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id, description="Sensor readings scored by an anomaly model, alerts and commands back")
        path = self.node.try_get_context("model_artifact")
        artifact = (
            ModelArtifact.from_parameters(self, "ModelArtifact")
            if path is None
            else ModelArtifact.from_file(self, "ModelArtifact", path)
        )
        names = str(self.node.try_get_context("features") or TURBINE).split(",")
        inference = IotInference(
            self,
            "Inference",
            variants=[Variant(name="primary", model=ModelSource.sklearn(artifact))],
            features=[Feature(name=name.strip()) for name in names],
        )
        self._outputs(inference, names)

    def _outputs(self, inference: IotInference, names: list[str]) -> None:
        outputs = {
            "ProvisioningTemplateName": inference.fleet.template.ref,
            "ClaimPolicyName": inference.fleet.claim.ref,
            "TopicPrefix": inference.fleet.topic_prefix,
            "EndpointName": inference.endpoint.endpoint_name,
            "PredictionBucketName": inference.bucket.bucket_name,
            "PredictionPrefix": inference.log.prefix,
            "DeadLetterQueueUrl": inference.rule.dead_letters.queue.queue_url,
            "AlertTopicArn": inference.alerts.topic.topic_arn,
            "FeatureNames": ",".join(names),
        }
        for key, value in outputs.items():
            cdk.CfnOutput(self, key, value=value)
