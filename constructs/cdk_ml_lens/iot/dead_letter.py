"""DeadLetterStore: where readings that could not be scored wait, with their cause."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.alarms import AlarmRule, add_alarm
from cdk_ml_lens.core.nag import acknowledge, explain

DEPTH_ALARM = AlarmRule(
    metric="ApproximateNumberOfMessagesVisible",
    statistic="Maximum",
    period_minutes=1,
    threshold=0,
    description="Readings were dead-lettered. Read their 'reason', fix the cause, then redrive the queue.",
)


class DeadLetterStore(Construct):
    """An encrypted queue that keeps failed readings for 14 days and raises an alarm as soon as there is one.

    Parameters
    ----------
    scope, id
        As for every construct.
    encryption_key : IKey
        Customer managed key of the messages.
    alarm_topic : ITopic, optional
        Who is told. Default: the alarm exists but tells nobody.
    """

    def __init__(
        self, scope: Construct, id: str, *, encryption_key: kms.IKey, alarm_topic: sns.ITopic | None = None
    ) -> None:
        super().__init__(scope, id)
        self._alarm_topic = alarm_topic
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=encryption_key,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        last = "This queue is the dead-letter queue; its messages wait for a person."
        acknowledge(self.queue, "SQS3", last)
        explain(self.queue, {"SQSRedrivePolicy": last})
        self.alarm("DepthAlarm", DEPTH_ALARM)

    def grant_send(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow ``sqs:SendMessage`` and the use of the key for it."""
        return grants.send_messages(grantee, self.queue)

    def metric(self, name: str) -> cloudwatch.Metric:
        """Return one metric of the queue, in ``AWS/SQS``."""
        return self.queue.metric(name)

    def alarm(self, id: str, rule: AlarmRule) -> cloudwatch.Alarm:
        """Make an alarm on a metric of the queue."""
        return add_alarm(self, id, metric=self.metric(rule.metric), rule=rule, topic=self._alarm_topic)
