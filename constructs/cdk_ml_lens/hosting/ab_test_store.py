"""AbTestStore: the table, the queue and the dead letters of an A/B test, and who may do what with them."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.function import HandlerFunction
from cdk_ml_lens.core.nag import acknowledge, explain

COHORT_INDEX = "cohorts"  # ml_lens_runtime.ab_cohorts
RECORD_SECONDS = 60  # time-out of the recorder; the evaluation waits longer: ml_lens_runtime.outcomes.SETTLE_SECONDS
_BATCH = 100
_WINDOW_SECONDS = 5
_RECEIVES = 5

_RECOVERABLE = (
    "Point-in-time recovery restores the table to any second of the last 35 days, and a test ends within weeks. "
    "harden(backup_plan=) puts it into a plan of yours."
)
_POLLED = (
    "A queue as the source has no such destination: its own redrive policy takes what fails. See "
    "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html"
)


class AbTestStore(Construct):
    """Records of one test: retained, encrypted, restorable; entries expire by themselves.

    Parameters
    ----------
    scope, id
        As for every construct.
    encryption_key : IKey
        Customer managed key of table and queues.

    Notes
    -----
    Point-in-time recovery is on: the outcomes of a running test exist nowhere else, and a lost table voids weeks.
    """

    def __init__(self, scope: Construct, id: str, *, encryption_key: kms.IKey) -> None:
        super().__init__(scope, id)
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=encryption_key,
            time_to_live_attribute="expires_at",
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        explain(self.table, {"DynamoDBInBackupPlan": _RECOVERABLE})
        self.table.add_global_secondary_index(
            index_name=COHORT_INDEX,
            partition_key=dynamodb.Attribute(name="cohort", type=dynamodb.AttributeType.STRING),
            projection_type=dynamodb.ProjectionType.INCLUDE,
            non_key_attributes=["treated", "outcomes", "wins", "amount"],
        )
        self.dead_letters = self._queue("DeadLetters", encryption_key, days=14)
        last = "This queue is the dead-letter queue; its messages wait for a person."
        acknowledge(self.dead_letters, "SQS3", last)
        explain(self.dead_letters, {"SQSRedrivePolicy": last})
        self.queue = self._queue("Outcomes", encryption_key, days=4, dead_letters=self.dead_letters)

    def feed(self, recorder: HandlerFunction) -> None:
        """Hand the queue to the recorder in batches; only failed messages come again."""
        grants.consume_messages(recorder.role, self.queue)
        mapping = lambda_.CfnEventSourceMapping(
            self,
            "OutcomesToRecorder",
            function_name=recorder.function.function_name,
            event_source_arn=self.queue.queue_arn,
            batch_size=_BATCH,
            maximum_batching_window_in_seconds=_WINDOW_SECONDS,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config=lambda_.CfnEventSourceMapping.ScalingConfigProperty(maximum_concurrency=10),
        )
        mapping.node.add_dependency(recorder.role)
        explain(mapping, {"LambdaEventSourceMappingDestination": _POLLED})

    def grant_table(self, grantee: iam.IGrantable, *actions: str) -> iam.Grant:
        """Allow DynamoDB actions on the table; DynamoDB checks the caller's use of the key.

        Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
        """
        grants.use_key(
            grantee, self.table.encryption_key, "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"
        )
        return grants.allow(grantee, [f"dynamodb:{action}" for action in actions], [self.table.table_arn])

    def grant_read_cohorts(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow ``dynamodb:Query`` on the index of cohorts only."""
        return grants.allow(grantee, ["dynamodb:Query"], [f"{self.table.table_arn}/index/{COHORT_INDEX}"])

    @property
    def age_metric(self) -> cloudwatch.Metric:
        """Age of the oldest outcome in the queue, in seconds."""
        return self.queue.metric_approximate_age_of_oldest_message()

    @property
    def depth_metric(self) -> cloudwatch.Metric:
        """Number of dead letters."""
        return self.dead_letters.metric_approximate_number_of_messages_visible()

    def _queue(self, id: str, key: kms.IKey, *, days: int, dead_letters: sqs.IQueue | None = None) -> sqs.Queue:
        redrive = None
        if dead_letters is not None:
            redrive = sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=_RECEIVES)
        return sqs.Queue(
            self,
            id,
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(days),
            # Six times the function's time-out plus the window: API_CreateEventSourceMapping, "queue configuration".
            visibility_timeout=cdk.Duration.seconds(6 * RECORD_SECONDS + _WINDOW_SECONDS),
            dead_letter_queue=redrive,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
