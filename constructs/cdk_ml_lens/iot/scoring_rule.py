"""ScoringRule: from a topic to a score, an entry in the log, and an action; nothing is lost on the way."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_iot as iot
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.alarms import AlarmRule, add_alarm
from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.keys import key_or_new
from cdk_ml_lens.core.refs import ReadingAction
from cdk_ml_lens.core.trust import of_this_account
from cdk_ml_lens.iot import channels
from cdk_ml_lens.iot.dead_letter import DeadLetterStore
from cdk_ml_lens.iot.ingestion import DirectIngestion, Ingestion, QueuedIngestion, StreamedIngestion
from cdk_ml_lens.iot.prediction_log import PredictionLog
from cdk_ml_lens.iot.scorer import Scorer
from cdk_ml_lens.iot.scoring import Scoring
from cdk_ml_lens.iot.topics import SQL_VERSION, RuleSql

MAX_BACKLOG_SECONDS = 300
_RULE_ALARMS = {
    "ThrottledAlarm": AlarmRule(
        metric="RuleMessageThrottled",
        threshold=0,
        description="IoT Core dropped messages of this rule: raise the account's rule quota or publish slower.",
    ),
    "ParseErrorAlarm": AlarmRule(
        metric="ParseError", threshold=0, description="Messages could not be parsed by the rule's SQL."
    ),
}
_FAILURE_ALARM = AlarmRule(
    metric="Failure",
    threshold=0,
    description="The rule could not hand readings on; they are in the dead-letter store. Check the rule's role.",
)
_SCORER_ALARMS = {
    "ScorerErrorAlarm": AlarmRule(metric="Errors", threshold=0, description="The scorer raised: see its log."),
    "ScorerThrottleAlarm": AlarmRule(
        metric="Throttles", threshold=0, periods=3, description="The scorer is short of concurrency."
    ),
}


class ScoringRule(Construct):
    """A topic rule that has a model score every reading.

    Parameters
    ----------
    scope, id
        As for every construct.
    sql : RuleSql
        Which messages, for example ``RuleSql(topic_filter=fleet.telemetry_topic_filter)``.
    scoring : Scoring
        Endpoint, features, threshold.
    ingestion : Ingestion, optional
        Default: ``Ingestion.queued()``.
    actions : sequence of ReadingAction
        What follows an anomaly. Default: nothing, the log only.
    log : PredictionLog, optional
        Where every result goes. Default: nowhere.
    encryption_key : IKey, optional
        Customer managed key of queues, stream, ledger, logs and variables. Default: a new one.
    alarm_topic : ITopic, optional
        Who hears of rule failures, throttles, backlog and dead letters. Default: nobody.

    Attributes
    ----------
    rule : CfnTopicRule
    scorer : Scorer
    dead_letters : DeadLetterStore
    role : Role
        Taken by the rules engine.

    Notes
    -----
    Sources: https://docs.aws.amazon.com/iot/latest/developerguide/rule-error-handling.html,
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html. Lens best practices MLREL02-BP02,
    MLOPS05-BP01.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        sql: RuleSql,
        scoring: Scoring,
        ingestion: Ingestion | None = None,
        actions: Sequence[ReadingAction] = (),
        log: PredictionLog | None = None,
        encryption_key: kms.IKey | None = None,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        way = Ingestion.queued() if ingestion is None else ingestion
        super().__init__(scope, id)
        self._key = key_or_new(self, encryption_key, description="Encrypts readings on their way to the model")
        self._alarm_topic = alarm_topic
        self.dead_letters = DeadLetterStore(self, "DeadLetters", encryption_key=self._key, alarm_topic=alarm_topic)
        self.role = iam.Role(self, "RuleRole", assumed_by=of_this_account(self, "iot.amazonaws.com"))
        grants.send_messages(self.role, self.dead_letters.queue)
        self.scorer = Scorer(
            self,
            "Scorer",
            scoring=scoring,
            actions=actions,
            log=log,
            dead_letters=self.dead_letters,
            attempts=_attempts(way),
            encryption_key=self._key,
            reserved_concurrency=way.reserved_concurrency if isinstance(way, DirectIngestion) else None,
        )
        self.scorer.on_failure(self.dead_letters, retries=way.retries if isinstance(way, DirectIngestion) else 2)
        channel = self._channel(way, sql)
        self.rule = self._rule(sql, channel)
        self._add_alarms(channel)

    def metric(self, name: str, *, action_type: str | None = None) -> cloudwatch.Metric:
        """Return one metric of the rule, in ``AWS/IoT``.

        Parameters
        ----------
        name : str
            For example ``TopicMatch``.
        action_type : str, optional
            ``ActionType`` dimension of rule action metrics (``SQS``, ``Kinesis``, ``Lambda``). Default: a rule metric.
        """
        dimensions = {"RuleName": self.rule.ref}
        if action_type is not None:
            dimensions["ActionType"] = action_type
        return cloudwatch.Metric(namespace="AWS/IoT", metric_name=name, dimensions_map=dimensions)

    def alarm(self, id: str, rule: AlarmRule) -> cloudwatch.Alarm:
        """Make an alarm on a metric of the rule."""
        return add_alarm(self, id, metric=self.metric(rule.metric), rule=rule, topic=self._alarm_topic)

    def _channel(self, way: Ingestion, sql: RuleSql) -> channels.Channel:
        common = {
            "scorer": self.scorer,
            "rule_role": self.role,
            "dead_letters": self.dead_letters,
            "key": self._key,
        }
        if isinstance(way, QueuedIngestion):
            return channels.queued(self, way, **common)  # type: ignore[arg-type]
        if isinstance(way, StreamedIngestion):
            return channels.streamed(self, way, device_level=sql.device_level, **common)  # type: ignore[arg-type]
        if isinstance(way, DirectIngestion):
            return channels.direct(scorer=self.scorer)
        faults = Faults("scoring rule")
        faults.unless(False, "ingestion", "be made by Ingestion.queued, streamed or direct", way)
        faults.raise_any()
        raise AssertionError

    def _rule(self, sql: RuleSql, channel: channels.Channel) -> iot.CfnTopicRule:
        kind = iot.CfnTopicRule
        rule = kind(
            self,
            "Rule",
            topic_rule_payload=kind.TopicRulePayloadProperty(
                sql=sql.render(),
                aws_iot_sql_version=SQL_VERSION,
                rule_disabled=False,
                actions=[channel.action],
                error_action=kind.ActionProperty(
                    sqs=kind.SqsActionProperty(
                        queue_url=self.dead_letters.queue.queue_url,
                        role_arn=self.role.role_arn,
                        use_base64=False,
                    )
                ),
            ),
        )
        rule.node.add_dependency(self.role)
        if channel.action_type == "Lambda":
            self.scorer.function.add_permission(
                "TopicRule", principal=iam.ServicePrincipal("iot.amazonaws.com"), source_arn=rule.attr_arn
            )
        return rule

    def _add_alarms(self, channel: channels.Channel) -> None:
        for id, rule in _RULE_ALARMS.items():
            self.alarm(id, rule)
        watched: list[tuple[str, AlarmRule, cloudwatch.Metric]] = [
            ("ActionFailureAlarm", _FAILURE_ALARM, self.metric("Failure", action_type=channel.action_type)),
            ("BacklogAlarm", _backlog(channel), channel.age_metric),
            *((id, rule, self.scorer.function.metric(rule.metric)) for id, rule in _SCORER_ALARMS.items()),
        ]
        for id, rule, metric in watched:
            add_alarm(self, id, metric=metric, rule=rule, topic=self._alarm_topic)


def _attempts(way: Ingestion) -> int:
    if isinstance(way, DirectIngestion):
        return way.retries + 1
    return way.attempts if isinstance(way, QueuedIngestion | StreamedIngestion) else 1


def _backlog(channel: channels.Channel) -> AlarmRule:
    return AlarmRule(
        metric="age of the oldest reading",
        statistic="Maximum",
        threshold=MAX_BACKLOG_SECONDS / channel.age_unit_seconds,
        description="Readings wait over five minutes for a score: the endpoint or the scorer does not keep up.",
    )
