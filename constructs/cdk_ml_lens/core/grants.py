"""Every hand-written IAM grant: exact actions, exact resources, and the key where the data is encrypted.

The L2 grant helpers add wildcard actions (``kms:GenerateDataKey*``) and actions nobody calls; reviewers then read
acknowledgements instead of policies. Each function here names the API call that needs it.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs

from cdk_ml_lens.core.nag import explain_policy


def allow(grantee: iam.IGrantable, actions: Sequence[str], resources: Sequence[str]) -> iam.Grant:
    """Allow ``actions`` on ``resources``, in the grantee's own policy."""
    explain_policy(grantee)
    return iam.Grant.add_to_principal(grantee=grantee, actions=list(actions), resource_arns=list(resources))


def use_key(grantee: iam.IGrantable, key: kms.IKey | None, *actions: str) -> None:
    """Allow KMS actions on one key; does nothing for data that a key of AWS encrypts."""
    if key is not None:
        explain_policy(grantee)
        key.grant(grantee, *actions)


def send_messages(grantee: iam.IGrantable, queue: sqs.IQueue) -> iam.Grant:
    """SendMessage, SendMessageBatch; SQS asks KMS for a data key and checks it by Decrypt."""
    use_key(grantee, queue.encryption_master_key, "kms:GenerateDataKey", "kms:Decrypt")
    return allow(grantee, ["sqs:SendMessage"], [queue.queue_arn])


def consume_messages(grantee: iam.IGrantable, queue: sqs.IQueue) -> iam.Grant:
    """Receive and delete messages: what an event source mapping does.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
    """
    use_key(grantee, queue.encryption_master_key, "kms:Decrypt")
    actions = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
    return allow(grantee, [f"sqs:{action}" for action in actions], [queue.queue_arn])


def delay_messages(grantee: iam.IGrantable, queue: sqs.IQueue) -> iam.Grant:
    """ChangeMessageVisibility (the handler's back-off)."""
    return allow(grantee, ["sqs:ChangeMessageVisibility"], [queue.queue_arn])


def put_record(grantee: iam.IGrantable, stream: kinesis.IStream) -> iam.Grant:
    """PutRecord (the topic rule's Kinesis action)."""
    use_key(grantee, stream.encryption_key, "kms:GenerateDataKey")
    return allow(grantee, ["kinesis:PutRecord"], [stream.stream_arn])


def read_stream(grantee: iam.IGrantable, stream: kinesis.IStream) -> iam.Grant:
    """Poll shards (the event source mapping); ``ListStreams`` is not needed for a given stream."""
    use_key(grantee, stream.encryption_key, "kms:Decrypt")
    actions = ("DescribeStream", "DescribeStreamSummary", "GetRecords", "GetShardIterator", "ListShards")
    return allow(grantee, [f"kinesis:{action}" for action in actions], [stream.stream_arn])


def keep_ledger(grantee: iam.IGrantable, table: dynamodb.ITable) -> iam.Grant:
    """TransactWriteItems, which holds conditional puts only; DynamoDB checks the caller's use of the table's key.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
    """
    use_key(grantee, table.encryption_key, "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey")
    return allow(grantee, ["dynamodb:PutItem"], [table.table_arn])
