"""One endpoint behind deployment guardrails: a canary that alarms roll back and the deployment verifies."""

from __future__ import annotations

import json
from dataclasses import replace

import aws_cdk as cdk
from constructs import Construct

from cdk_ml_lens import ModelArtifact, ModelEndpoint, ModelSource, NotifyTopic, Rollout, Variant
from cdk_ml_lens.core.nag import acknowledge


class ModelHostingStack(cdk.Stack):
    """An endpoint of one variant; an update meets a tenth of the traffic first.

    Context
    -------
    model_artifact : path of ``model.tar.gz``; without it, the template takes two parameters at deployment.
    model_environment : JSON object of container variables. Default: none beside the container's own.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id, description="A model updated by a canary, rolled back by alarms, verified")
        path = self.node.try_get_context("model_artifact")
        artifact = (
            ModelArtifact.from_parameters(self, "ModelArtifact")
            if path is None
            else ModelArtifact.from_file(self, "ModelArtifact", path)
        )
        source = ModelSource.sklearn(artifact)
        variables = json.loads(str(self.node.try_get_context("model_environment") or "{}"))
        alarms = NotifyTopic(self, "Alarms")
        endpoint = ModelEndpoint(
            self,
            "Hosting",
            variants=[Variant(name="primary", model=replace(source, environment={**source.environment, **variables}))],
            rollout=Rollout.canary(percent=10, bake_minutes=5),
            alarm_topic=alarms.topic,
        )
        acknowledge(self, "OPS1", "A budget belongs to the account: one of the app's, or of your own.", pack="MlLens")
        acknowledge(
            endpoint.endpoint,
            "SM9[primary]",
            "One instance shows the update; Variant(autoscaling=) follows the traffic of more.",
            pack="MlLens",
        )
        acknowledge(
            endpoint.config,
            "MO1",
            "The stack ends at the endpoint; MlopsLoop reads captures for drift.",
            pack="MlLens",
        )
        cdk.CfnOutput(self, "EndpointName", value=endpoint.endpoint_name)
