"""TelemetryArchive: every message of a fleet, poison included, goes from its topic into a stream of the lake."""

from __future__ import annotations

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_iot as iot
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.alarms import AlarmRule, add_alarm
from cdk_ml_lens.core.trust import of_this_account
from cdk_ml_lens.iot.dead_letter import DeadLetterStore
from cdk_ml_lens.iot.topics import SQL_VERSION, RuleSql
from cdk_ml_lens.lake.stream_ingest import StreamIngest

THROTTLED_ALARM = AlarmRule(
    metric="RuleMessageThrottled",
    threshold=0,
    description="IoT Core dropped messages of this rule: raise the account's rule quota or publish slower.",
)
FAILURE_ALARM = AlarmRule(
    metric="Failure",
    threshold=0,
    description="The rule could not hand messages on; they are in the dead-letter store. Check the rule's role.",
)


class TelemetryArchive(Construct):
    """A topic rule whose only action is the stream; what it cannot hand on waits in a dead-letter store.

    Parameters
    ----------
    scope, id
        As for every construct.
    sql : RuleSql
        Which messages, for example ``RuleSql(topic_filter=fleet.telemetry_topic_filter)``.
    ingest : StreamIngest
        Where they go.
    alarm_topic : ITopic, optional
        Who hears of messages that were not handed on. Default: nobody.

    Attributes
    ----------
    rule : CfnTopicRule
    role : Role
        Taken by the rules engine.
    dead_letters : DeadLetterStore

    Notes
    -----
    Sources: https://docs.aws.amazon.com/iot/latest/developerguide/kinesis-firehose-rule-action.html,
    https://docs.aws.amazon.com/iot/latest/developerguide/rule-error-handling.html. Lens best practice MLREL02-BP02.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        sql: RuleSql,
        ingest: StreamIngest,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        super().__init__(scope, id)
        self._alarm_topic = alarm_topic
        self.role = iam.Role(self, "RuleRole", assumed_by=of_this_account(self, "iot.amazonaws.com"))
        self.dead_letters = DeadLetterStore(
            self, "DeadLetters", encryption_key=ingest.table.encryption_key, alarm_topic=alarm_topic
        )
        self.dead_letters.grant_send(self.role)
        kind = iot.CfnTopicRule
        failed = kind.SqsActionProperty(
            queue_url=self.dead_letters.queue.queue_url, role_arn=self.role.role_arn, use_base64=False
        )
        self._action_type, action = self._action(sql, ingest)
        self.rule = kind(
            self,
            "Rule",
            topic_rule_payload=kind.TopicRulePayloadProperty(
                sql=sql.render(),
                aws_iot_sql_version=SQL_VERSION,
                rule_disabled=False,
                actions=[action],
                error_action=kind.ActionProperty(sqs=failed),
            ),
        )
        self.rule.node.add_dependency(self.role)
        self.alarm("ThrottledAlarm", THROTTLED_ALARM)
        failure = self.metric(FAILURE_ALARM.metric, action_type=self._action_type)
        add_alarm(self, "ActionFailureAlarm", metric=failure, rule=FAILURE_ALARM, topic=alarm_topic)

    def metric(self, name: str, *, action_type: str | None = None) -> cloudwatch.Metric:
        """Return one metric of the rule, in ``AWS/IoT``.

        Parameters
        ----------
        name : str
            For example ``TopicMatch``.
        action_type : str, optional
            ``Firehose`` or ``Kinesis``, for metrics of the action such as ``Success``. Default: a rule metric.
        """
        dimensions = {"RuleName": self.rule.ref}
        if action_type is not None:
            dimensions["ActionType"] = action_type
        return cloudwatch.Metric(namespace="AWS/IoT", metric_name=name, dimensions_map=dimensions)

    def alarm(self, id: str, rule: AlarmRule) -> cloudwatch.Alarm:
        """Make an alarm on a metric of the rule."""
        return add_alarm(self, id, metric=self.metric(rule.metric), rule=rule, topic=self._alarm_topic)

    def _action(self, sql: RuleSql, ingest: StreamIngest) -> tuple[str, iot.CfnTopicRule.ActionProperty]:
        kind, source = iot.CfnTopicRule, ingest.source.kinesis_stream
        if source is None:
            grants.allow(self.role, ["firehose:PutRecord"], [ingest.stream.attr_arn])
            put = kind.FirehoseActionProperty(
                delivery_stream_name=ingest.stream.ref, role_arn=self.role.role_arn, separator="\n"
            )
            return "Firehose", kind.ActionProperty(firehose=put)
        grants.put_record(self.role, source)
        by_device = kind.KinesisActionProperty(
            stream_name=source.stream_name,
            role_arn=self.role.role_arn,
            partition_key=f"${{topic({sql.device_level})}}",
        )
        return "Kinesis", kind.ActionProperty(kinesis=by_device)
