"""Judge an endpoint's traffic every day against the data that its model was trained on."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from cdk_ml_lens import (
    AlarmRule,
    Baseline,
    CaptureSource,
    DatasetSource,
    DriftMonitor,
    DriftRules,
    DriftSchedule,
    GroundTruth,
    MonitoringJob,
    NotifyTopic,
    QualityBound,
    QualityMonitor,
    QualityRules,
)
from cdk_ml_lens.core.bucket import SecureBucket
from cdk_ml_lens.core.nag import acknowledge


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "DriftMonitoring")
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    data = SecureBucket(stack, "Data", encryption_key=key).bucket
    topic = NotifyTopic(stack, "Alarms").topic
    # region: baseline
    baseline = Baseline(stack, "Baseline", datasets=DatasetSource(bucket=data), alarm_topic=topic)
    # endregion
    # region: monitor
    monitor = DriftMonitor(
        stack,
        "Monitor",
        captures=CaptureSource(bucket=data, endpoint_name="pumps", variant_name="primary"),
        baseline=baseline,
        rules=DriftRules(false_alarm_rate=0.01, minimum_rows=200),
        schedule=DriftSchedule(every_minutes=1440, delay_minutes=15),
        job=MonitoringJob(instance_type="ml.t3.medium", max_minutes=20),
        alarm_topic=topic,
    )
    # endregion
    # region: quality
    quality = QualityMonitor(
        stack,
        "Quality",
        captures=CaptureSource(bucket=data, endpoint_name="pumps", variant_name="primary"),
        labels=GroundTruth(bucket=data),
        rules=QualityRules(bounds=[QualityBound(metric="recall", bound=0.8, direction="at_least")]),
        baseline=baseline,
        schedule=DriftSchedule(every_minutes=1440, delay_minutes=7 * 1440),
        alarm_topic=topic,
    )
    # endregion
    # region: react
    monitor.on_drift("Tell", targets.SnsTopic(topic))
    monitor.alarm("QuietAlarm", AlarmRule(metric="Rows", threshold=200, comparison="below", statistic="Maximum"))
    # endregion
    # region: by-hand
    operator = iam.Role(stack, "Client", assumed_by=iam.AccountRootPrincipal())
    for granted in (baseline, monitor, quality):
        granted.grant_start(operator)
        granted.grant_read(operator)
    # endregion
    cdk.CfnOutput(stack, "BaselineMachine", value=baseline.machine.arn)
    cdk.CfnOutput(stack, "MonitorMachine", value=monitor.machine.arn)
    cdk.CfnOutput(stack, "DataBucket", value=data.bucket_name)
    cdk.CfnOutput(stack, "Reports", value=monitor.reports_url)
    acknowledge(monitor, "MO3", "People decide here; MlopsLoop shows drift that starts a retraining.", pack="MlLens")
    return stack


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
