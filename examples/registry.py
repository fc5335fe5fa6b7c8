"""A registry that two accounts share, an endpoint that follows its approvals behind a canary, and its rebuild."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam

from cdk_ml_lens import (
    AnswerCheck,
    ApprovalPolicy,
    ApprovedDeployment,
    EndpointShape,
    ModelRegistry,
    NotifyTopic,
    ObjectLock,
    RebuildEndpoint,
    RollbackAlarms,
    Rollout,
    SyntheticRequest,
)


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "RegistryExample")
    operations = NotifyTopic(stack, "Operations")
    # region: registry
    registry = ModelRegistry(
        stack,
        "Models",
        approval=ApprovalPolicy.manual(expire_days=14),
        shared_with=["444455556666"],
        object_lock=ObjectLock(days=90),
    )
    reviewer = iam.Role(stack, "Reviewer", assumed_by=iam.AccountRootPrincipal())
    registry.grant_approve(reviewer)
    registry.on_version("Waiting", targets.SnsTopic(operations.topic), status=["PendingManualApproval"])
    # endregion
    # region: deployment
    deployment = ApprovedDeployment(
        stack,
        "Deployment",
        registry=registry,
        verification=SyntheticRequest(
            body={"features": [61.2, 0.8, 4.1, 1480.0]},
            content_type="application/jsonlines",
            accept="application/jsonlines",
            expect=AnswerCheck(path="score", minimum=0),
        ),
        shape=EndpointShape(instance_type="ml.c7i.large", instance_count=2),
        rollout=Rollout.canary(percent=10, bake_minutes=15, alarms=RollbackAlarms(latency_p99_ms=400)),
        alarm_topic=operations.topic,
    )
    deployment.on_failed("NotDeployed", targets.SnsTopic(operations.topic))
    # endregion
    # region: rebuild
    rebuild = RebuildEndpoint(stack, "Rebuild", deployment=deployment, alarm_topic=operations.topic)
    rebuild.grant_start(reviewer)
    # endregion
    return stack


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
