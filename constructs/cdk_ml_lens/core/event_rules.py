"""Rules on the event bus that tell a target of the caller's choice."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk_ml_lens.core.nag import explain


def admit_undelivered(queue: sqs.Queue) -> None:
    """Let EventBridge encrypt what it puts into a dead-letter queue; the target's L2 lets it send there.

    A key that is not of this app must let ``events.amazonaws.com`` use it by its own policy.
    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html

    Parameters
    ----------
    queue : Queue
        The dead-letter queue of one or more targets.
    """
    key = queue.encryption_master_key
    if key is not None:
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="UndeliveredEvents",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(queue).account}},
            )
        )


def tell(
    scope: Construct,
    id: str,
    *,
    pattern: events.EventPattern,
    target: events.IRuleTarget,
    bus: events.IEventBus | None = None,
) -> events.Rule:
    """Make a rule with one target; retries and dead-letter queue are those of the target.

    Parameters
    ----------
    scope : Construct
        Owner.
    id : str
        Construct id.
    pattern : EventPattern
        Which events.
    target : IRuleTarget
        Who gets them.
    bus : IEventBus, optional
        Default: the account's own bus.

    Notes
    -----
    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
    """
    rule = events.Rule(scope, id, event_bus=bus, event_pattern=pattern, targets=[target])
    explain(
        rule,
        {
            "EventBusDLQ": "The target is the caller's. EventBridge tries it for 24 hours; a target made with "
            "dead_letter_queue= (targets.SnsTopic, targets.SqsQueue …) keeps what is left then, and ends this finding."
        },
    )
    return rule
