"""Train a detector of anomalies from versioned datasets; register what passes the gate."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from cdk_ml_lens import (
    Algorithm,
    ChampionMargin,
    DatasetSource,
    MetricBound,
    ModelGate,
    ModelRegistry,
    NotifyTopic,
    TrainingPipeline,
)
from cdk_ml_lens.core.nag import acknowledge


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "TrainingPipeline")
    key = kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:eu-west-1:111122223333:key/example")
    lake = s3.Bucket.from_bucket_attributes(stack, "Lake", bucket_name="example-lake", encryption_key=key)
    # region: pipeline
    pipeline = TrainingPipeline(
        stack,
        "Pipeline",
        algorithm=Algorithm.isolation_forest(trees=200, quantile=0.995),
        datasets=DatasetSource(bucket=lake, prefix="datasets"),
        registry=ModelRegistry(stack, "Registry"),
        gate=ModelGate(
            bounds=[
                MetricBound(metric="alert_rate", bound=0.05, direction="at_most"),
                MetricBound(metric="recall_injected", bound=0.8, direction="at_least"),
            ],
            margins=[ChampionMargin(metric="auc_injected", margin=0.02, direction="at_least")],
        ),
        alarm_topic=NotifyTopic(stack, "Alarms").topic,
    )
    scheduler = iam.Role(stack, "Scheduler", assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com"))
    pipeline.grant_start(scheduler)
    # endregion
    acknowledge(
        scheduler,
        "IAM5[Service::scheduler.amazonaws.com]",
        "Stands for a role of yours; trust it for aws:SourceAccount.",
        pack="MlLens",
    )
    return stack


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
