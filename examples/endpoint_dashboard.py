"""One page for an endpoint: its traffic, its drift, what it is for, what it costs, and what to do when it alarms."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_kms as kms

from cdk_ml_lens import (
    Baseline,
    CaptureSource,
    DatasetSource,
    DriftMonitor,
    EndpointDashboard,
    NotifyTopic,
    Runbook,
    WatchedEndpoint,
    harden,
)
from cdk_ml_lens.core.bucket import SecureBucket
from cdk_ml_lens.core.nag import acknowledge


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "EndpointDashboard")
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    data = SecureBucket(stack, "Data", encryption_key=key).bucket
    monitor = DriftMonitor(
        stack,
        "Monitor",
        captures=CaptureSource(bucket=data, endpoint_name="pumps", variant_name="primary"),
        baseline=Baseline(stack, "Baseline", datasets=DatasetSource(bucket=data)),
    )
    # region: dashboard
    complaints = cloudwatch.Metric(namespace="Pumps", metric_name="WrongAlerts", statistic="Sum")
    too_many = cloudwatch.Alarm(stack, "Complaints", metric=complaints, threshold=20, evaluation_periods=1)
    too_many.add_alarm_action(actions.SnsAction(NotifyTopic(stack, "Alarms").topic))
    dashboard = EndpointDashboard(
        stack,
        "Dashboard",
        endpoint=WatchedEndpoint(endpoint_name="pumps", variants=["primary", "candidate"], capture_bucket=data),
        drift=monitor,
        business=[complaints],
        runbooks=[
            Runbook(url="https://wiki.example.org/pumps/drift", of=[monitor]),
            Runbook(url="https://wiki.example.org/pumps/complaints", of=[too_many]),
        ],
        dashboard_name="pumps",
    )
    # endregion
    # region: row
    dashboard.dashboard.add_widgets(
        cloudwatch.LogQueryWidget(
            title="Last errors of the container",
            log_group_names=["/aws/sagemaker/Endpoints/pumps"],
            query_lines=["fields @timestamp, @message", "filter @message like /ERROR/", "limit 20"],
            width=24,
        )
    )
    # endregion
    cdk.CfnOutput(stack, "DashboardName", value=dashboard.dashboard_name)
    acknowledge(monitor, "MO3", "People decide here; MlopsLoop shows drift that starts a retraining.", pack="MlLens")
    harden(stack, alarm_topic=NotifyTopic(stack, "Told").topic)
    return stack


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
