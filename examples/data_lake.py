"""A lake of two zones with a table each: one job writes, one publishes, an analyst reads what is finished."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from cdk_ml_lens import Column, DataLake, Lifecycle, NotifyTopic, Partition, QueryLimits, Table, Zone


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "DataLakeExample")
    # region: lake
    lake = DataLake(
        stack,
        "Lake",
        zones=[
            Zone(name="raw", lifecycle=Lifecycle(tiering_days=30, expire_days=400)),
            Zone(name="transformed"),
        ],
        queries=QueryLimits(scan_gigabytes=5, hourly_gigabytes=50),
        alarm_topic=NotifyTopic(stack, "Alarms").topic,
    )
    # endregion
    # region: tables
    telemetry = lake.add_table(
        Table(
            name="telemetry",
            description="Readings as they arrived",
            columns=[
                Column(name="reading_id"),
                Column(name="device_id"),
                Column(name="event_time", type="timestamp", comment="when it was measured, UTC"),
                Column(name="temperature", type="double", comment="degrees Celsius"),
            ],
            partitions=[Partition.date(since="2026-01-01")],
        )
    )
    features = lake.add_table(
        Table(
            name="features",
            columns=[
                Column(name="device_id"),
                Column(name="event_time", type="timestamp"),
                Column(name="temperature_mean_300s", type="double", comment="mean of five minutes"),
            ],
            versioned=True,
            derived_from=["raw.telemetry"],
        ),
        zone="transformed",
    )
    # endregion
    # region: grants
    gateway = iam.Role(stack, "Gateway", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    telemetry.grant_write(gateway)
    job = iam.Role(stack, "Job", assumed_by=iam.ServicePrincipal("glue.amazonaws.com"))
    telemetry.grant_read(job)
    features.grant_publish(job)
    analyst = iam.Role(stack, "Analyst", assumed_by=iam.AccountRootPrincipal())
    lake.grant_read("transformed", analyst)
    lake.workgroup.grant_query(analyst)
    # endregion
    cdk.CfnOutput(stack, "RawDatabase", value=lake.zone("raw").database_name)
    cdk.CfnOutput(stack, "Workgroup", value=lake.workgroup.name)
    return stack


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
