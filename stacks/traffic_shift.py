"""Blue/green by production variants: green waits at weight 0 until it has passed its test, then takes over."""

from __future__ import annotations

import json
from dataclasses import replace

import aws_cdk as cdk
from constructs import Construct

from cdk_ml_lens import (
    AnswerCheck,
    ModelArtifact,
    ModelEndpoint,
    ModelSource,
    NotifyTopic,
    ShiftChecks,
    ShiftPlan,
    SyntheticRequest,
    TrafficShift,
    Variant,
)
from cdk_ml_lens.core.nag import acknowledge

READING = {"features": [72.0, 2.1, 8.0, 1500.0]}


class TrafficShiftStack(cdk.Stack):
    """Two variants and the state machine that switches between them.

    Context
    -------
    model_artifact, green_artifact : paths of ``model.tar.gz``; without them, parameters at deployment.
    green_environment : JSON object of container variables of green. Default: none.
    bake_seconds : how long live traffic is watched after the switch. Default: 1800.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id, description="Two variants of a model, and a switch that tests and watches")
        variables = json.loads(str(self.node.try_get_context("green_environment") or "{}"))
        blue, green = self._source("Blue", "model_artifact"), self._source("Green", "green_artifact")
        alarms = NotifyTopic(self, "Alarms")
        endpoint = ModelEndpoint(
            self,
            "Hosting",
            variants=[
                Variant(name="blue", model=blue),
                Variant(name="green", model=replace(green, environment={**green.environment, **variables}), weight=0),
            ],
            alarm_topic=alarms.topic,
        )
        content = "application/jsonlines"
        expect = AnswerCheck(path="score", minimum=0, maximum=1)
        request = SyntheticRequest(body=READING, content_type=content, accept=content, expect=expect)
        shift = TrafficShift(
            self,
            "Switch",
            endpoint=endpoint,
            plan=ShiftPlan.blue_green(bake_minutes=float(self.node.try_get_context("bake_seconds") or 1800) / 60),
            checks=ShiftChecks(requests=(request,), repeats=5, max_latency_ms=2000),
            alarm_topic=alarms.topic,
        )
        acknowledge(self, "OPS1", "A budget belongs to the account: one of the app's, or of your own.", pack="MlLens")
        acknowledge(
            endpoint.endpoint,
            "SM8",
            "A TrafficShift moves the traffic by weight in watched steps; models change in the other variant.",
            pack="MlLens",
        )
        for name in ("blue", "green"):
            acknowledge(
                endpoint.endpoint,
                f"SM9[{name}]",
                "Both variants must carry all traffic during a shift, so their size is fixed.",
                pack="MlLens",
            )
        cdk.CfnOutput(self, "EndpointName", value=endpoint.endpoint_name)
        cdk.CfnOutput(self, "MachineArn", value=shift.machine.arn)

    def _source(self, id: str, context: str) -> ModelSource:
        path = self.node.try_get_context(context)
        if path is None:
            return ModelSource.sklearn(ModelArtifact.from_parameters(self, id))
        return ModelSource.sklearn(ModelArtifact.from_file(self, id, path))
