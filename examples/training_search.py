"""Search hyperparameters on spot capacity; scripts of your own may log their runs to MLflow."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3

from cdk_ml_lens import (
    Algorithm,
    DatasetSource,
    ManagedSpot,
    MetricBound,
    MlflowTracking,
    ModelGate,
    ModelRegistry,
    NotifyTopic,
    ParameterRange,
    TrainingIsolation,
    TrainingOptions,
    TrainingPipeline,
    TrainingResources,
    Tuning,
    harden,
)


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "TrainingSearch")
    # region: options
    options = TrainingOptions(
        resources=TrainingResources(
            instance_type="ml.c5.xlarge",
            max_minutes=30,
            spot=ManagedSpot(max_wait_minutes=90),
            input_mode="FastFile",
        ),
        tuning=Tuning.bayesian(
            metric="worst_fold_alert_rate",
            goal="Minimize",
            ranges=[
                ParameterRange.integer("trees", 50, 400),
                ParameterRange.integer("max-samples", 128, 2048, scaling="Logarithmic"),
            ],
            max_jobs=10,
            max_minutes=120,
        ),
        isolation=TrainingIsolation(isolated=False),
        tracking=MlflowTracking(stack, "Runs"),
    )
    # endregion
    TrainingPipeline(
        stack,
        "Pipeline",
        algorithm=Algorithm.isolation_forest(),
        datasets=DatasetSource(bucket=s3.Bucket.from_bucket_name(stack, "Lake", "example-lake")),
        registry=ModelRegistry(stack, "Registry"),
        gate=ModelGate(bounds=[MetricBound(metric="alert_rate", bound=0.05, direction="at_most")]),
        options=options,
    )
    harden(stack, alarm_topic=NotifyTopic(stack, "Told").topic)
    return stack


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
