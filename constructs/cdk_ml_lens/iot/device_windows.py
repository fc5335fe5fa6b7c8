"""DeviceWindows: the recent readings of every device, from which the scorer computes window features."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.tables import short_lived


class DeviceWindows(Construct):
    """A DynamoDB table of readings by device and event time, with a time to live.

    Parameters
    ----------
    scope, id
        As for every construct.
    encryption_key : IKey
        Customer managed key of the table.

    Notes
    -----
    The windows fill themselves again within their own length, hence no point-in-time recovery, and the table goes
    with the stack; the lake keeps the readings.
    """

    def __init__(self, scope: Construct, id: str, *, encryption_key: kms.IKey) -> None:
        super().__init__(scope, id)
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="device_id", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="event_time", type=dynamodb.AttributeType.NUMBER),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=encryption_key,
            time_to_live_attribute="expires_at",
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        short_lived(self.table, "Items expire within days; a restored window would hold no current reading.")

    def grant_use(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow conditional puts, and queries of one device's window."""
        key = self.table.encryption_key
        grants.use_key(grantee, key, "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey")
        return grants.allow(grantee, ["dynamodb:PutItem", "dynamodb:Query"], [self.table.table_arn])
