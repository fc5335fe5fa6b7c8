"""SageMaker AI's own monitors of one endpoint, for existing customers: requests, answers, bias, attributions."""

from __future__ import annotations

from functools import partial

import aws_cdk as cdk
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms

from cdk_ml_lens import (
    AnswerFields,
    CaptureSource,
    DataQuality,
    GroundTruth,
    ModelArtifact,
    ModelBias,
    ModelEndpoint,
    ModelExplainability,
    ModelMonitor,
    ModelQuality,
    ModelSource,
    MonitorFile,
    MonitorSchedule,
    NotifyTopic,
    Variant,
    harden,
)
from cdk_ml_lens.core.bucket import SecureBucket
from cdk_ml_lens.core.nag import acknowledge


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "ModelMonitor")
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    data = SecureBucket(stack, "Data", encryption_key=key).bucket
    model = ModelSource.sklearn(ModelArtifact.from_parameters(stack, "Model"))
    endpoint = ModelEndpoint(stack, "Endpoint", variants=[Variant(name="primary", model=model)])
    # region: data-quality
    captures = CaptureSource(bucket=data, endpoint_name=endpoint.endpoint_name, variant_name="primary")
    requests = ModelMonitor(
        stack,
        "Requests",
        kind=DataQuality(
            constraints=MonitorFile(bucket=data, key="baseline/constraints.json"),
            statistics=MonitorFile(bucket=data, key="baseline/statistics.json"),
        ),
        captures=captures,
        schedule=MonitorSchedule(every_hours=1),
        bucket=data,
        encryption_key=key,
    )
    cdk.Annotations.of(requests).acknowledge_warning(
        "cdk-ml-lens:modelMonitorClosed", "This account has used Model Monitor since 2024."
    )
    # endregion
    # region: kinds
    labels, score = GroundTruth(bucket=data), AnswerFields(probability="score", threshold=0.5)
    config = MonitorFile(bucket=data, key="clarify/analysis.json")
    daily = partial(
        ModelMonitor,
        stack,
        captures=captures,
        schedule=MonitorSchedule(every_hours=24, hour=2, label_delay_hours=72),
        bucket=data,
        encryption_key=key,
    )
    monitors = [
        daily("Answers", kind=ModelQuality(labels=labels, problem="BinaryClassification", answer=score)),
        daily("Bias", kind=ModelBias(labels=labels, config=config, answer=score)),
        daily("Attributions", kind=ModelExplainability(config=config, model_name="pumps-1")),
    ]
    # endregion
    # region: react
    topic = NotifyTopic(stack, "Alarms").topic
    for monitor in (requests, *monitors):
        monitor.on_violated("Violated", targets.SnsTopic(topic))
        monitor.on_failed("Failed", targets.SnsTopic(topic))
    # endregion
    for monitor in monitors:
        cdk.Annotations.of(monitor).acknowledge_warning("cdk-ml-lens:modelMonitorClosed", "As above.")
    acknowledge(
        endpoint.endpoint,
        "SM8",
        "Updates all at once are enough for an example; rollout=Rollout.canary() stages them.",
        pack="MlLens",
    )
    acknowledge(
        endpoint.endpoint,
        "SM9[primary]",
        "One instance carries the example's traffic; Variant(autoscaling=) follows more.",
        pack="MlLens",
    )
    for closed in ("ModelMonitor", "Clarify"):
        reason = "This account has used it since 2024; DriftMonitor serves every account."
        acknowledge(stack, f"LC2[{closed}]", reason, pack="MlLens")
    for watched in (requests, *monitors):
        acknowledge(
            watched.schedule,
            "MO3",
            "People decide here; MlopsLoop shows drift that starts a retraining.",
            pack="MlLens",
        )
    harden(stack, alarm_topic=topic)
    acknowledge(
        stack,
        "OPS1",
        "An example: a budget belongs to the account. One AWS::Budgets::Budget in the app ends this.",
        pack="MlLens",
    )
    return stack


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
