"""Predictive data science on a data lake: readings to features, to a model, to an endpoint, and back when it drifts."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from cdk_ml_lens import (
    DataLake,
    DeviceFleet,
    EndpointDashboard,
    Ingestion,
    IotDataLake,
    MlopsLoop,
    NotifyTopic,
    PredictionLog,
    QualityGate,
    RuleSql,
    Scoring,
    ScoringRule,
)
from cdk_ml_lens.core.nag import acknowledge
from stacks.loop_context import LoopContext, outputs

TURBINE = ("temperature", "vibration", "pressure", "rotation_speed")


class MlopsLoopStack(cdk.Stack):
    """A fleet, its lake, the loop over it, and the rule that has the loop's model score every reading.

    Context: see `LoopContext`.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id, description="Models trained on a lake, deployed when approved, retrained on drift")
        context = LoopContext(self.node)
        topic = NotifyTopic(self, "Alarms").topic
        fleet, lake = DeviceFleet(self, "Fleet"), DataLake(self, "Lake", alarm_topic=topic)
        acknowledge(
            fleet.template,
            "IOT4",
            "The simulated fleet has no list of serial numbers; pre_provisioning_hook= looks up those of a real one.",
            pack="MlLens",
        )
        features = context.features(TURBINE)
        prepared = IotDataLake(
            self, "Preparation", lake=lake, fleet=fleet, feature_set=features, alarm_topic=topic,
            quality=QualityGate(max_quarantined_share=0.2),
        )  # fmt: skip
        self.loop = MlopsLoop(
            self,
            "Loop",
            preparation=prepared.pipeline,
            algorithm=context.algorithm(),
            gate=context.gate(),
            verification=context.verification(features.names),
            settings=context.settings(),
            alarm_topic=topic,
        )
        EndpointDashboard(self, "Dashboard", endpoint=self.loop.deployment, drift=self.loop.monitor)
        log = PredictionLog(self, "Predictions", encryption_key=lake.encryption_key, alarm_topic=topic)
        scoring = ScoringRule(
            self,
            "Scoring",
            sql=RuleSql(topic_filter=fleet.telemetry_topic_filter, device_level=fleet.device_level),
            scoring=Scoring(endpoint=self.loop.deployment, features=features, content_type="application/jsonlines"),
            ingestion=Ingestion.streamed(),
            log=log,
            alarm_topic=topic,
        )
        predictions = prepared.add_predictions(log)
        prepared.outputs(self)
        named = {
            "ProvisioningTemplateName": fleet.template.ref,
            "ClaimPolicyName": fleet.claim.ref,
            "TopicPrefix": fleet.topic_prefix,
            "PredictionTable": f"{predictions.database_name}.{predictions.name}",
            "DeadLetterQueueUrl": scoring.dead_letters.queue.queue_url,
        }
        for name, value in (named | outputs(self.loop)).items():
            cdk.CfnOutput(self, name, value=value)
