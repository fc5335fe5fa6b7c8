"""A scoring rule whose model takes window features: the scorer computes them as the training data was computed."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3

from cdk_ml_lens import (
    Cleaning,
    FeatureSet,
    Ingestion,
    ModelEndpoint,
    Normalisation,
    NormalisationArtifact,
    NotifyTopic,
    RuleSql,
    Scoring,
    ScoringRule,
    Sensor,
)


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "WindowFeatures")
    # region: features
    turbine = FeatureSet.standard(
        sensors=[
            Sensor(name="temperature", minimum=-60, maximum=200),
            Sensor(name="vibration", minimum=0),
        ],
        window_seconds=300,
        rate_seconds=3600,
        cleaning=Cleaning(allowed_lateness_seconds=3600),
        normalisation=Normalisation(method="standard", per="device"),
    )
    # endregion
    # region: rule
    rule = ScoringRule(
        stack,
        "Turbines",
        sql=RuleSql(topic_filter="turbines/+/telemetry"),
        scoring=Scoring(
            endpoint=ModelEndpoint.from_endpoint_name(stack, "turbine-anomalies"),
            features=turbine,
            normalisation=NormalisationArtifact(
                bucket=s3.Bucket.from_bucket_name(stack, "Enhanced", "plant-lake-enhanced"),
                key="_artifacts/normalisation/0b1d2c3e4f5a6978.json",
            ),
        ),
        ingestion=Ingestion.streamed(batch=100),
        alarm_topic=NotifyTopic(stack, "Alarms").topic,
    )
    # endregion
    cdk.CfnOutput(stack, "DeadLetterQueueUrl", value=rule.dead_letters.queue.queue_url)
    return stack


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
