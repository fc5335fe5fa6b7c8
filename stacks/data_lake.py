"""A data lake for a fleet: telemetry by MQTT to Parquet, cleaned, normalised, and features that Athena can query."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from cdk_ml_lens import (
    DataLake,
    DeviceFleet,
    FeatureSet,
    IotDataLake,
    Normalisation,
    NotifyTopic,
    QualityGate,
    QualityRule,
    Sensor,
)
from cdk_ml_lens.core.nag import acknowledge

# Bounds are those of the sensors, not of a healthy turbine: what is outside was not measured.
TURBINE = (
    Sensor(name="temperature", minimum=-60, maximum=200),
    Sensor(name="vibration", minimum=0, maximum=100),
    Sensor(name="pressure", minimum=0, maximum=100),
    Sensor(name="rotation_speed", minimum=0, maximum=5000),
)
MOST_REFUSED = 0.2


class DataLakeStack(cdk.Stack):
    """A fleet, a lake of four zones, and the pipeline between them; it starts when data has arrived."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id, description="A data lake from sensor readings to features for training and scoring")
        alarms = NotifyTopic(self, "Alarms")
        fleet = DeviceFleet(self, "Fleet")
        prepared = IotDataLake(
            self,
            "Preparation",
            lake=DataLake(self, "Lake", alarm_topic=alarms.topic),
            fleet=fleet,
            feature_set=FeatureSet.standard(sensors=TURBINE, normalisation=Normalisation(method="standard")),
            quality=QualityGate(
                rules=[
                    QualityRule.row_count(at_least=1),
                    QualityRule.mean_between("temperature", 0, 150),
                    QualityRule.is_complete("seconds_since_last_reading"),
                ],
                max_quarantined_share=MOST_REFUSED,
            ),
            alarm_topic=alarms.topic,
        )
        acknowledge(
            fleet.template,
            "IOT4",
            "The simulated fleet has no list of serial numbers; pre_provisioning_hook= looks up those of a real one.",
            pack="MlLens",
        )
        prepared.outputs(self)
        for name, value in {
            "ProvisioningTemplateName": fleet.template.ref,
            "ClaimPolicyName": fleet.claim.ref,
            "TopicPrefix": fleet.topic_prefix,
        }.items():
            cdk.CfnOutput(self, name, value=value)
