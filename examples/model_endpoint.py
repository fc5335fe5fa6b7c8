"""One endpoint, two variants: nine tenths of the traffic for the current model, one tenth for the candidate."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from cdk_ml_lens import AlarmRule, DataCapture, ModelArtifact, ModelEndpoint, ModelSource, NotifyTopic, Variant
from cdk_ml_lens.core.nag import acknowledge


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "ModelEndpoint")
    # region: endpoint
    current = ModelArtifact.from_parameters(stack, "Current")
    candidate = ModelArtifact.from_parameters(stack, "Candidate")
    endpoint = ModelEndpoint(
        stack,
        "Endpoint",
        variants=[
            Variant(name="current", model=ModelSource.sklearn(current), instance_count=2, weight=0.9),
            Variant(name="candidate", model=ModelSource.sklearn(candidate), weight=0.1),
        ],
        capture=DataCapture(percent=20),
        alarm_topic=NotifyTopic(stack, "Alarms").topic,
    )
    # endregion
    # region: use
    client = iam.Role(stack, "Client", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
    endpoint.grant_invoke(client)
    endpoint.alarm(
        "CandidateRefusesAlarm",
        AlarmRule(metric="Invocation4XXErrors", threshold=10, description="The candidate takes other input."),
        variant="candidate",
    )
    # endregion
    acknowledge(
        endpoint.endpoint,
        "SM8",
        "The candidate meets a tenth of the traffic by weight; a rollout stages updates.",
        pack="MlLens",
    )
    for name in ("current", "candidate"):
        acknowledge(
            endpoint.endpoint,
            f"SM9[{name}]",
            "The traffic is steady here; Variant(autoscaling=) follows what is not.",
            pack="MlLens",
        )
    acknowledge(
        endpoint.config,
        "MO1",
        "The example ends at the endpoint; a DriftMonitor on these captures reads them.",
        pack="MlLens",
    )
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
