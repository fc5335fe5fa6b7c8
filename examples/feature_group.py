"""The features of a pipeline in SageMaker Feature Store: the newest of each device online, all of them offline."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from cdk_ml_lens import (
    Column,
    DataLake,
    FeatureGroup,
    FeatureSet,
    LakePipeline,
    NotifyTopic,
    OfflineStore,
    OnlineStore,
    Partition,
    PipelineTrigger,
    Sensor,
    Table,
    harden,
)


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "FeatureGroup")
    lake = DataLake(stack, "Lake")
    columns = [
        Column(name="reading_id"),
        Column(name="device_id"),
        Column(name="event_time", type="timestamp"),
        Column(name="received_at", type="timestamp"),
        Column(name="temperature", type="double"),
    ]
    telemetry = lake.add_table(Table(name="telemetry", columns=columns, partitions=[Partition.date()]))
    features = FeatureSet.standard(sensors=[Sensor(name="temperature")])
    pipeline = LakePipeline(
        stack,
        "Pipeline",
        lake=lake,
        source=telemetry,
        feature_set=features,
        trigger=PipelineTrigger.every(minutes=60),
    )
    # region: group
    group = FeatureGroup(
        stack,
        "Group",
        feature_set=features,
        name="turbine-features",
        online=OnlineStore(expire_days=30),
        offline=OfflineStore(bucket=lake.zone("transformed").bucket),
        encryption_key=lake.encryption_key,
        alarm_topic=NotifyTopic(stack, "Alarms").topic,
    )
    # endregion
    # region: feed
    group.feed(pipeline)
    # endregion
    # region: grant
    scorer = iam.Role(stack, "Client", assumed_by=iam.AccountRootPrincipal())
    group.grant_get(scorer)
    # endregion
    cdk.CfnOutput(stack, "FeatureGroupName", value=group.name)
    cdk.CfnOutput(stack, "RawBucketName", value=telemetry.bucket.bucket_name)
    cdk.CfnOutput(stack, "MachineArn", value=pipeline.machine.arn)
    cdk.CfnOutput(stack, "ScorerRoleArn", value=scorer.role_arn)
    harden(stack, alarm_topic=NotifyTopic(stack, "Told").topic)
    return stack


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
