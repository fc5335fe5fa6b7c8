"""Blue/green and canary by production variants: a state machine moves the weights, and back when it goes wrong."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam

from cdk_ml_lens import (
    AlarmRule,
    AnswerCheck,
    ModelArtifact,
    ModelEndpoint,
    ModelSource,
    NotifyTopic,
    ShiftChecks,
    ShiftPlan,
    SyntheticRequest,
    TrafficShift,
    Variant,
    VariantComparison,
    harden,
)
from cdk_ml_lens.core.nag import acknowledge


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "TrafficShift")
    operations = NotifyTopic(stack, "Operations")
    # region: endpoint
    endpoint = ModelEndpoint(
        stack,
        "Endpoint",
        variants=[
            Variant(name="blue", model=ModelSource.sklearn(ModelArtifact.from_parameters(stack, "Blue"))),
            Variant(name="green", model=ModelSource.sklearn(ModelArtifact.from_parameters(stack, "Green")), weight=0),
        ],
    )
    refusals = endpoint.alarm("GreenRefuses", AlarmRule(metric="Invocation4XXErrors", threshold=5), variant="green")
    # endregion
    # region: blue-green
    reading = {"features": [61.2, 0.8, 4.1, 1480.0]}
    switch = TrafficShift(
        stack,
        "Switch",
        endpoint=endpoint,
        plan=ShiftPlan.blue_green(bake_minutes=30, retire_instances=1),
        checks=ShiftChecks(
            requests=(
                SyntheticRequest(
                    body=reading,
                    content_type="application/jsonlines",
                    accept="application/jsonlines",
                    expect=AnswerCheck(path="score", minimum=0, maximum=1),
                ),
            ),
            max_latency_ms=500,
        ),
        alarms=[refusals],
        alarm_topic=operations.topic,
    )
    # endregion
    # region: canary
    TrafficShift(
        stack,
        "Canary",
        endpoint=endpoint,
        plan=ShiftPlan.canary(steps=(5, 25, 50, 100), bake_minutes=15),
        checks=ShiftChecks(comparison=VariantComparison(minimum_requests=500, error_margin=0.005)),
        alarms=[refusals],
        alarm_topic=operations.topic,
    )
    # endregion
    # region: use
    releases = iam.Role(stack, "Client", assumed_by=iam.ServicePrincipal("codebuild.amazonaws.com"))
    switch.grant_start(releases)
    switch.on_decision("Told", targets.SnsTopic(operations.topic), decisions=["finished", "stopped", "restored"])
    # endregion
    acknowledge(
        endpoint.endpoint,
        "SM8",
        "A TrafficShift moves the traffic by weight in watched steps; models change in the other variant.",
        pack="MlLens",
    )
    for name in ("blue", "green"):
        acknowledge(
            endpoint.endpoint,
            f"SM9[{name}]",
            "Both variants must carry all traffic during a shift, so their size is fixed.",
            pack="MlLens",
        )
    harden(stack, alarm_topic=operations.topic)
    acknowledge(
        stack,
        "OPS1",
        "An example: a budget belongs to the account. One AWS::Budgets::Budget in the app ends this.",
        pack="MlLens",
    )
    acknowledge(
        releases,
        "IAM5[Service::codebuild.amazonaws.com]",
        "Stands for a role of yours; trust it for aws:SourceAccount.",
        pack="MlLens",
    )
    return stack


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
