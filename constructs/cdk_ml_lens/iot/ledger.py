"""Ledger: which messages are in work or done, so that a second delivery changes nothing."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.tables import short_lived


class Ledger(Construct):
    """A DynamoDB table of message ids with a time to live.

    Parameters
    ----------
    scope, id
        As for every construct.
    encryption_key : IKey
        Customer managed key of the table.

    Notes
    -----
    Entries are worthless after a day, hence no point-in-time recovery, and the table goes with the stack.
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
        short_lived(self.table, "Entries expire within days; a restored ledger would suppress live readings.")

    def grant_use(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow claiming, completing and releasing messages."""
        return grants.keep_ledger(grantee, self.table)
