"""A prediction log in a bucket of its own, with an alarm of one's own; somebody else writes to it."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from cdk_ml_lens import AlarmRule, NotifyTopic, PredictionLog


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "PredictionLog")
    # region: log
    log = PredictionLog(
        stack,
        "Log",
        prefix="predictions/turbines",
        buffer_seconds=300,
        alarm_topic=NotifyTopic(stack, "Alarms").topic,
    )
    # endregion
    # region: alarm
    log.alarm(
        "NothingArrivesAlarm",
        AlarmRule(
            metric="IncomingRecords",
            threshold=1,
            comparison="below",
            period_minutes=15,
            missing="breaching",
            description="No prediction for a quarter of an hour.",
        ),
    )
    # endregion
    # region: grant
    writer = iam.Role(stack, "Writer", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
    log.grant_write(writer)
    # endregion
    cdk.CfnOutput(stack, "StreamName", value=log.stream.ref)
    cdk.CfnOutput(stack, "BucketName", value=log.bucket.bucket_name)
    return stack


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
