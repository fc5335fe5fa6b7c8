"""A model over a fleet's data lake that is trained, approved, deployed, watched, and trained again when it drifts."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam

from cdk_ml_lens import (
    Algorithm,
    AnswerCheck,
    ApprovalPolicy,
    DataLake,
    DeviceFleet,
    FeatureSet,
    IotDataLake,
    LoopSettings,
    MetricBound,
    MlopsLoop,
    ModelGate,
    NotifyTopic,
    RetrainingCause,
    RetrainingPolicy,
    Sensor,
    SyntheticRequest,
)
from cdk_ml_lens.core.nag import acknowledge


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "MlopsLoopExample")
    operations = NotifyTopic(stack, "Operations")
    # region: loop
    features = FeatureSet.standard(sensors=[Sensor(name="temperature", minimum=-60, maximum=200)])
    prepared = IotDataLake(
        stack, "Preparation", lake=DataLake(stack, "Lake"), fleet=DeviceFleet(stack, "Fleet"), feature_set=features
    )
    loop = MlopsLoop(
        stack,
        "Loop",
        preparation=prepared.pipeline,
        algorithm=Algorithm.isolation_forest(trees=200),
        gate=ModelGate(
            bounds=[
                MetricBound(metric="alert_rate", bound=0.02, direction="at_most"),
                MetricBound(metric="auc_injected", bound=0.8, direction="at_least"),
            ]
        ),
        verification=SyntheticRequest(
            body={"features": [20.0] * len(features.names)},
            content_type="application/jsonlines",
            accept="application/jsonlines",
            expect=AnswerCheck(path="score", minimum=-1),
        ),
        settings=LoopSettings(
            approval=ApprovalPolicy.manual(expire_days=7),
            causes=[RetrainingCause.cron("0 3 ? * MON *")],
            policy=RetrainingPolicy(cool_down_minutes=24 * 60, minimum_new_rows=100_000),
        ),
        alarm_topic=operations.topic,
    )
    # endregion
    # region: people
    reviewer = iam.Role(stack, "Client", assumed_by=iam.AccountRootPrincipal())
    loop.registry.grant_approve(reviewer)
    loop.retraining.grant_request(reviewer)
    loop.registry.on_version("Waiting", targets.SnsTopic(operations.topic), status=["PendingManualApproval"])
    loop.deployment.on_failed("NotDeployed", targets.SnsTopic(operations.topic))
    # endregion
    acknowledge(
        stack,
        "IOT4",
        "No list of serial numbers here; device_fleet.py passes pre_provisioning_hook=, which looks them up.",
        pack="MlLens",
    )
    return stack


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
