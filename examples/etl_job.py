"""From raw readings to features: a pipeline that starts when data arrives, and a job of one step on Spark."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from cdk_ml_lens import (
    Column,
    DataLake,
    Engine,
    EtlJob,
    EtlStep,
    FeatureSet,
    JobLimits,
    LakePipeline,
    NotifyTopic,
    Partition,
    PipelineTrigger,
    QualityGate,
    QualityRule,
    Sensor,
    Table,
    TrainingDataset,
    harden,
)


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "EtlJob")
    lake = DataLake(stack, "Lake")
    columns = [
        Column(name="reading_id"),
        Column(name="device_id"),
        Column(name="event_time", type="timestamp"),
        Column(name="received_at", type="timestamp"),
        Column(name="temperature", type="double"),
    ]
    telemetry = lake.add_table(Table(name="telemetry", columns=columns, partitions=[Partition.date()]))
    topic = NotifyTopic(stack, "Alarms").topic
    # region: pipeline
    features = FeatureSet.standard(sensors=[Sensor(name="temperature", minimum=-40, maximum=125)])
    pipeline = LakePipeline(
        stack,
        "Pipeline",
        lake=lake,
        source=telemetry,
        feature_set=features,
        quality=QualityGate(
            rules=[
                QualityRule.row_count(at_least=100),
                QualityRule.mean_between("temperature", 0, 60),
                QualityRule.completeness("temperature_mean_300s", at_least=0.99),
            ],
            max_quarantined_share=0.02,
        ),
        trigger=PipelineTrigger.arrival(),
        alarm_topic=topic,
    )
    # endregion
    # region: dataset
    dataset = TrainingDataset(stack, "Dataset", pipeline=pipeline, alarm_topic=topic)
    # endregion
    # region: grant
    operator = iam.Role(stack, "Writer", assumed_by=iam.AccountRootPrincipal())
    pipeline.grant_start(operator)
    pipeline.features.grant_read(operator)
    # endregion
    # region: job
    archive = lake.add_table(Table(name="archive", columns=columns, versioned=True), zone="modelled")
    job = EtlJob(
        stack,
        "Archive",
        step=EtlStep.clean(source=telemetry, target=archive, feature_set=features),
        engine=Engine.spark(workers=10, worker_type="G.1X"),
        limits=JobLimits(timeout_minutes=240, retries=1),
        alarm_topic=topic,
    )
    # endregion
    cdk.CfnOutput(stack, "MachineArn", value=pipeline.machine.arn)
    cdk.CfnOutput(stack, "DatasetManifest", value=dataset.manifest_uri)
    cdk.CfnOutput(stack, "JobName", value=job.name)
    harden(stack, alarm_topic=topic)
    return stack


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
