"""What retraining keeps: where it stands, the causes that it took, and events that it could not handle."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.function import HandlerFunction
from cdk_ml_lens.core.nag import acknowledge, explain
from cdk_ml_lens.core.tables import short_lived


class RetrainingStore(Construct):
    """A table and a dead-letter queue; `Retraining` makes them.

    Parameters
    ----------
    scope, id
        As for every construct.
    encryption_key : IKey
        Customer managed key of both.

    Attributes
    ----------
    table : Table
    dead_letters : Queue
        Events that failed three times, for 14 days.
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
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        short_lived(self.table, "A lost record costs one run too many; a restored one would be out of date.")
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=encryption_key,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        last = "This queue is the dead-letter queue; its messages wait for a person."
        acknowledge(self.dead_letters, "SQS3", last)
        explain(self.dead_letters, {"SQSRedrivePolicy": last})

    def serve(self, handler: HandlerFunction) -> lambda_.CfnEventInvokeConfig:
        """Let a handler keep its records, and take the events that it cannot handle.

        Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
        """
        key = self.table.encryption_key
        grants.use_key(handler.role, key, "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey")
        grants.allow(handler.role, ["dynamodb:GetItem", "dynamodb:PutItem"], [self.table.table_arn])
        grants.send_messages(handler.role, self.dead_letters)
        explain(handler, {"LambdaDLQ": "What fails for good goes to the failure destination, with its cause."})
        kind = lambda_.CfnEventInvokeConfig
        return kind(
            self,
            "OnFailure",
            function_name=handler.function.function_name,
            qualifier="$LATEST",
            maximum_retry_attempts=2,
            maximum_event_age_in_seconds=6 * 3600,
            destination_config=kind.DestinationConfigProperty(
                on_failure=kind.OnFailureProperty(destination=self.dead_letters.queue_arn)
            ),
        )

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to read where retraining stands."""
        grants.use_key(grantee, self.table.encryption_key, "kms:Decrypt", "kms:DescribeKey")
        return grants.allow(grantee, ["dynamodb:GetItem"], [self.table.table_arn])
