"""Channels: what lies between the topic rule and the scorer for each `Ingestion`."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_iot as iot
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.nag import acknowledge, explain
from cdk_ml_lens.iot.dead_letter import DeadLetterStore
from cdk_ml_lens.iot.ingestion import QueuedIngestion, StreamedIngestion
from cdk_ml_lens.iot.scorer import TIMEOUT_SECONDS, Scorer

# The service gives up only on what the scorer could not even look at; the scorer itself dead-letters earlier, with the
# cause. Deliveries that wait for another one's lease count as well, hence some room.
_MARGIN = 5

_POLLED = (
    "A queue as the source has no such destination: its own redrive policy takes what fails. See "
    "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html"
)


@dataclass(frozen=True, kw_only=True)
class Channel:
    """The rule's action, the metric that shows a backlog, and the name AWS IoT gives to the action's type."""

    action: iot.CfnTopicRule.ActionProperty
    age_metric: cloudwatch.Metric
    age_unit_seconds: float
    action_type: str


def queued(
    scope: Construct,
    ingestion: QueuedIngestion,
    *,
    scorer: Scorer,
    rule_role: iam.Role,
    dead_letters: DeadLetterStore,
    key: kms.IKey,
) -> Channel:
    """Rule → SQS → event source mapping with partial batch failure."""
    queue = sqs.Queue(
        scope,
        "Queue",
        encryption=sqs.QueueEncryption.KMS,
        encryption_master_key=key,
        enforce_ssl=True,
        retention_period=cdk.Duration.days(4),
        # Six times the function's time-out plus the window: API_CreateEventSourceMapping, "queue configuration".
        visibility_timeout=cdk.Duration.seconds(6 * TIMEOUT_SECONDS + ingestion.window_seconds),
        dead_letter_queue=sqs.DeadLetterQueue(
            queue=dead_letters.queue, max_receive_count=min(1000, ingestion.attempts + _MARGIN)
        ),
    )
    grants.send_messages(rule_role, queue)
    grants.consume_messages(scorer.role, queue)
    grants.delay_messages(scorer.role, queue)
    scorer.function.add_environment("SOURCE_QUEUE_URL", queue.queue_url)
    mapping = lambda_.CfnEventSourceMapping(
        scope,
        "QueueToScorer",
        function_name=scorer.function.function_name,
        event_source_arn=queue.queue_arn,
        batch_size=ingestion.batch,
        maximum_batching_window_in_seconds=ingestion.window_seconds,
        function_response_types=["ReportBatchItemFailures"],
        scaling_config=lambda_.CfnEventSourceMapping.ScalingConfigProperty(
            maximum_concurrency=ingestion.max_concurrency
        ),
    )
    mapping.node.add_dependency(scorer.role)
    explain(mapping, {"LambdaEventSourceMappingDestination": _POLLED})
    return Channel(
        action=iot.CfnTopicRule.ActionProperty(
            sqs=iot.CfnTopicRule.SqsActionProperty(
                queue_url=queue.queue_url, role_arn=rule_role.role_arn, use_base64=False
            )
        ),
        age_metric=queue.metric_approximate_age_of_oldest_message(),
        age_unit_seconds=1,
        action_type="SQS",
    )


def streamed(
    scope: Construct,
    ingestion: StreamedIngestion,
    *,
    scorer: Scorer,
    rule_role: iam.Role,
    dead_letters: DeadLetterStore,
    key: kms.IKey,
    device_level: int,
) -> Channel:
    """Rule → Kinesis by device → event source mapping that bisects, retries, and dead-letters."""
    stream = kinesis.Stream(
        scope,
        "Stream",
        stream_mode=kinesis.StreamMode.ON_DEMAND,
        encryption=kinesis.StreamEncryption.KMS,
        encryption_key=key,
        retention_period=cdk.Duration.hours(ingestion.retention_hours),
    )
    acknowledge(stream, "KDS3", "A key of our own is audited and revocable; the pack prefers the free aws/kinesis key.")
    grants.put_record(rule_role, stream)
    grants.read_stream(scorer.role, stream)
    destination = lambda_.CfnEventSourceMapping.DestinationConfigProperty(
        on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(destination=dead_letters.queue.queue_arn)
    )
    mapping = lambda_.CfnEventSourceMapping(
        scope,
        "StreamToScorer",
        function_name=scorer.function.function_name,
        event_source_arn=stream.stream_arn,
        starting_position="TRIM_HORIZON",
        batch_size=ingestion.batch,
        maximum_batching_window_in_seconds=ingestion.window_seconds,
        maximum_retry_attempts=ingestion.attempts + _MARGIN,
        bisect_batch_on_function_error=True,
        function_response_types=["ReportBatchItemFailures"],
        destination_config=destination,
    )
    mapping.node.add_dependency(scorer.role)
    return Channel(
        action=iot.CfnTopicRule.ActionProperty(
            kinesis=iot.CfnTopicRule.KinesisActionProperty(
                stream_name=stream.stream_name,
                role_arn=rule_role.role_arn,
                partition_key=f"${{topic({device_level})}}",
            )
        ),
        age_metric=scorer.function.metric("IteratorAge"),
        age_unit_seconds=0.001,
        action_type="Kinesis",
    )


def direct(*, scorer: Scorer) -> Channel:
    """Rule → Lambda, asynchronously; the permission is added once the rule exists."""
    return Channel(
        action=iot.CfnTopicRule.ActionProperty(
            lambda_=iot.CfnTopicRule.LambdaActionProperty(function_arn=scorer.function.function_arn)
        ),
        age_metric=scorer.function.metric("AsyncEventAge"),
        age_unit_seconds=0.001,
        action_type="Lambda",
    )
