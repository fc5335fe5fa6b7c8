"""Train again every Monday, when a dataset arrives, and when an alarm goes off: one run at a time, not too often."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam

from cdk_ml_lens import (
    Algorithm,
    Column,
    DataLake,
    DatasetSource,
    FeatureSet,
    LakePipeline,
    MetricBound,
    ModelGate,
    ModelRegistry,
    NotifyTopic,
    Partition,
    Retraining,
    RetrainingCause,
    RetrainingPolicy,
    Sensor,
    Table,
    TrainingDataset,
    TrainingPipeline,
)


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "RetrainingExample")
    topic = NotifyTopic(stack, "Alarms").topic
    lake = DataLake(stack, "Lake")
    columns = [
        Column(name="reading_id"),
        Column(name="device_id"),
        Column(name="event_time", type="timestamp"),
        Column(name="received_at", type="timestamp"),
        Column(name="temperature", type="double"),
    ]
    readings = lake.add_table(Table(name="telemetry", columns=columns, partitions=[Partition.date()]))
    features = FeatureSet.standard(sensors=[Sensor(name="temperature", minimum=-40, maximum=125)])
    preparation = LakePipeline(stack, "Preparation", lake=lake, source=readings, feature_set=features)
    dataset = TrainingDataset(stack, "Dataset", pipeline=preparation)
    datasets = DatasetSource(
        bucket=dataset.bucket, prefix=dataset.prefix.strip("/"), encryption_key=dataset.encryption_key
    )
    pipeline = TrainingPipeline(
        stack,
        "Training",
        algorithm=Algorithm.isolation_forest(),
        datasets=datasets,
        registry=ModelRegistry(stack, "Registry"),
        gate=ModelGate(bounds=[MetricBound(metric="alert_rate", bound=0.05, direction="at_most")]),
    )
    # region: retraining
    complaints = cloudwatch.Metric(namespace="Turbines", metric_name="WrongAlerts", statistic="Sum")
    alarm = cloudwatch.Alarm(stack, "Complaints", metric=complaints, threshold=20, evaluation_periods=1)
    retraining = Retraining(
        stack,
        "Retraining",
        pipeline=pipeline,
        datasets=datasets,
        causes=[
            RetrainingCause.cron("0 3 ? * MON *", time_zone="Europe/Berlin"),
            RetrainingCause.new_data(),
            RetrainingCause.drift(alarm),
        ],
        policy=RetrainingPolicy(cool_down_minutes=12 * 60, minimum_new_rows=50_000),
        preparation=preparation,
        alarm_topic=topic,
    )
    # endregion
    # region: by-hand
    operator = iam.Role(stack, "Client", assumed_by=iam.AccountRootPrincipal())
    retraining.grant_request(operator)
    retraining.store.grant_read(operator)
    # endregion
    cdk.CfnOutput(stack, "RetrainingFunction", value=retraining.handler.function.function_name)
    return stack


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
