"""Start a pipeline once for many new objects: EventBridge, a queue that drops repeats and waits, a pipe."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_pipes as pipes
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.machine import DefinedMachine
from cdk_ml_lens.core.nag import acknowledge, explain

_MESSAGE = json.dumps({"trigger": "arrival"})  # always the same, so that the queue takes repeats for one
_LOOK_AGAIN = "The message only says 'look again'; it is tried for four days, and each later arrival brings another."


class ArrivalStart(Construct):
    """Objects below a prefix start a machine: once, some time after the first of them.

    The queue takes the first event and drops its repeats for five minutes; the message becomes visible after
    ``settle_seconds``, which is no shorter, so whatever was dropped had arrived before the start.

    Parameters
    ----------
    scope, id
        As for every construct.
    bucket_name : str
        Bucket that sends its events to EventBridge.
    prefix : str
        First part of the keys that count.
    settle_seconds : int
        From the first object to the start, 300 to 900.
    machine : DefinedMachine
        What is started.
    encryption_key : IKey
        Customer managed key of the queue. If you bring your own, its policy must let ``events.amazonaws.com`` use it.

    Notes
    -----
    Sources: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html,
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventBridge.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        bucket_name: str,
        prefix: str,
        settle_seconds: int,
        machine: DefinedMachine,
        encryption_key: kms.IKey,
    ) -> None:
        super().__init__(scope, id)
        self.queue = sqs.Queue(
            self,
            "Queue",
            fifo=True,
            content_based_deduplication=True,
            delivery_delay=cdk.Duration.seconds(settle_seconds),
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=encryption_key,
            enforce_ssl=True,
        )
        acknowledge(
            self.queue,
            "SQS3",
            _LOOK_AGAIN,
        )
        explain(self.queue, {"SQSRedrivePolicy": _LOOK_AGAIN})
        rule = self._rule(bucket_name, prefix)
        explain(rule, {"EventBusDLQ": _LOOK_AGAIN})
        self._admit(rule, encryption_key)
        self._pipe(machine, encryption_key)

    def _rule(self, bucket_name: str, prefix: str) -> events.CfnRule:
        return events.CfnRule(
            self,
            "Rule",
            event_pattern={
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {"bucket": {"name": [bucket_name]}, "object": {"key": [{"prefix": prefix}]}},
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="Queue",
                    arn=self.queue.queue_arn,
                    input=_MESSAGE,
                    sqs_parameters=events.CfnRule.SqsParametersProperty(message_group_id="arrival"),
                )
            ],
        )

    def _admit(self, rule: events.CfnRule, key: kms.IKey) -> None:
        """Let the rule write to the queue.

        Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
        """
        events_service = iam.ServicePrincipal("events.amazonaws.com")
        self.queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ArrivalRule",
                principals=[events_service],
                actions=["sqs:SendMessage"],
                resources=[self.queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": rule.attr_arn}},
            )
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ArrivalEvents",
                principals=[events_service],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(self).account}},
            )
        )

    def _pipe(self, machine: DefinedMachine, key: kms.IKey) -> None:
        trusted = {"StringEquals": {"aws:SourceAccount": cdk.Stack.of(self).account}}
        role = iam.Role(self, "PipeRole", assumed_by=iam.ServicePrincipal("pipes.amazonaws.com", conditions=trusted))
        actions = ("DeleteMessage", "GetQueueAttributes", "ReceiveMessage")
        grants.allow(role, [f"sqs:{action}" for action in actions], [self.queue.queue_arn])
        grants.use_key(role, key, "kms:Decrypt")
        machine.grant_start(role)
        kind = pipes.CfnPipe
        pipe = kind(
            self,
            "Pipe",
            role_arn=role.role_arn,
            source=self.queue.queue_arn,
            source_parameters=kind.PipeSourceParametersProperty(
                sqs_queue_parameters=kind.PipeSourceSqsQueueParametersProperty(batch_size=1)
            ),
            target=machine.arn,
            target_parameters=kind.PipeTargetParametersProperty(
                step_function_state_machine_parameters=kind.PipeTargetStateMachineParametersProperty(
                    invocation_type="FIRE_AND_FORGET"
                )
            ),
        )
        pipe.node.add_dependency(role)
