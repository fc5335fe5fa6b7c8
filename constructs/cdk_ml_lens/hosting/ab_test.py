"""AbTest: sticky assignment, outcomes, an always-valid decision, and its hand-over to a traffic shift."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.alarms import AlarmRule, add_alarm
from cdk_ml_lens.core.event_rules import tell
from cdk_ml_lens.core.function import HandlerFunction
from cdk_ml_lens.core.keys import key_or_new
from cdk_ml_lens.core.nag import acknowledge, explain
from cdk_ml_lens.core.refs import InvocableEndpoint
from cdk_ml_lens.hosting import ab_test_rules as rules
from cdk_ml_lens.hosting.ab_test_schedule import evaluate_regularly
from cdk_ml_lens.hosting.ab_test_store import RECORD_SECONDS, AbTestStore
from cdk_ml_lens.hosting.ab_test_values import AbPolicy, AbVariants, BusinessMetric
from cdk_ml_lens.hosting.traffic_shift import TrafficShift

SOURCE = "cdk-ml-lens.abtest"  # handlers/evaluate_test.py
DECIDED = "AB Test Decided"
WEIGHTS_CHANGED = "AB Test Weights Changed"
_NAMESPACE = "CdkMlLens/AbTest"

_NEXT_ROUND = (
    "Scheduler calls it every few minutes with nothing that could be lost: the next round judges the same records, and "
    "the function's error alarm tells. What Scheduler cannot start goes to the dead letters."
)


class AbTest(Construct):
    """An A/B test of two production variants on a business metric.

    Parameters
    ----------
    scope, id
        As for every construct. The path names the test and salts the assignment: another id is another test.
    endpoint : InvocableEndpoint
        Where both variants are.
    variants : AbVariants
        Control and treatment.
    metric : BusinessMetric
        What a user counts for.
    policy : AbPolicy
        How users are split and when the test ends.
    shift : TrafficShift or IStateMachine, optional
        Started with ``{"winner": …, "test": …, "verdict": …}`` when a variant has won. From then on requests are no
        longer targeted: the endpoint's weights rule. Default: none, the split stays until somebody acts.
    encryption_key : IKey, optional
        Customer managed key of records, queues, logs and variables. Default: a new one.
    alarm_topic : ITopic, optional
        Who hears of dead letters, failed evaluations and a backlog. Default: nobody.

    Attributes
    ----------
    test_name : str
    assigner, recorder, evaluator : HandlerFunction
    store : AbTestStore
        ``table``, ``queue``, ``dead_letters``.

    Raises
    ------
    PropError
        When the endpoint lacks a variant, or Thompson sampling is asked for another metric than a conversion.

    Notes
    -----
    ``TargetVariant`` and ``InferenceId``:
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html. Lens best practices
    MLREL04-BP02, MLPERF06-BP01.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoint: InvocableEndpoint,
        variants: AbVariants,
        metric: BusinessMetric,
        policy: AbPolicy,
        shift: TrafficShift | sfn.IStateMachine | None = None,
        encryption_key: kms.IKey | None = None,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        rules.check(endpoint, variants, metric, policy)
        super().__init__(scope, id)
        key = key_or_new(self, encryption_key, description="Encrypts the records of an A/B test")
        self._alarm_topic = alarm_topic
        self.test_name = cdk.Names.unique_resource_name(self, max_length=60, separator="-")
        self.store = AbTestStore(self, "Store", encryption_key=key)
        shift_arn = _arn(shift)
        common = {
            "PLAN": json.dumps(rules.plan(self.test_name, variants, metric, policy), sort_keys=True),
            "TABLE_NAME": self.store.table.table_name,
            "ENDPOINT_NAME": endpoint.endpoint_name,
        }
        letters = {"DEAD_LETTER_QUEUE_URL": self.store.dead_letters.queue_url}
        following = {"SHIFT_ARN": shift_arn}
        self.assigner = self._handler("Assigner", "assign_variant", common, key, seconds=10)
        self.recorder = self._handler("Recorder", "record_outcome", common | letters, key, seconds=RECORD_SECONDS)
        self.evaluator = self._handler("Evaluator", "evaluate_test", common | following, key, seconds=300)
        self.assigner.answers("The caller")
        self.recorder.answers("The queue's poller, or the caller,")
        explain(self.evaluator, {"LambdaDLQ": _NEXT_ROUND})
        self._allow(shift_arn)
        self.store.feed(self.recorder)
        self.schedule = evaluate_regularly(
            self, self.evaluator, minutes=policy.evaluate_minutes, dead_letters=self.store.dead_letters
        )
        acknowledge(
            self.evaluator,
            "FN2",
            "The schedule's event is empty, so there is nothing to keep: the next run looks at the same counts.",
            pack="MlLens",
        )
        self._add_alarms(metric)

    def grant_assign(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to ask for a user's variant, by ``lambda:InvokeFunction`` on the assigner only."""
        return grants.allow(grantee, ["lambda:InvokeFunction"], [self.assigner.function.function_arn])

    def grant_report(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to send outcomes to the queue, and the use of its key."""
        return grants.send_messages(grantee, self.store.queue)

    def grant_record(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to record outcomes by a direct call, by ``lambda:InvokeFunction`` on the recorder only."""
        return grants.allow(grantee, ["lambda:InvokeFunction"], [self.recorder.function.function_arn])

    def on_decision(self, id: str, target: events.IRuleTarget) -> events.Rule:
        """Send this test's decision to a target."""
        return self._on(id, DECIDED, target)

    def on_weights_changed(self, id: str, target: events.IRuleTarget) -> events.Rule:
        """Send every announced change of the shares to a target, before it takes effect."""
        return self._on(id, WEIGHTS_CHANGED, target)

    def metric(self, name: str) -> cloudwatch.Metric:
        """Return one metric of the test, in ``CdkMlLens/AbTest``, for example ``OutcomesLate``."""
        return cloudwatch.Metric(namespace=_NAMESPACE, metric_name=name, dimensions_map={"Test": self.test_name})

    def alarm(self, id: str, rule: AlarmRule) -> cloudwatch.Alarm:
        """Make an alarm on a metric of the test."""
        return add_alarm(self, id, metric=self.metric(rule.metric), rule=rule, topic=self._alarm_topic)

    def _on(self, id: str, detail_type: str, target: events.IRuleTarget) -> events.Rule:
        pattern = events.EventPattern(source=[SOURCE], detail_type=[detail_type], detail={"test": [self.test_name]})
        return tell(self, id, pattern=pattern, target=target)

    def _handler(
        self, id: str, handler: str, environment: dict[str, str], key: kms.IKey, *, seconds: int
    ) -> HandlerFunction:
        return HandlerFunction(
            self, id, handler=handler, environment=environment, encryption_key=key, timeout_seconds=seconds
        )

    def _allow(self, shift_arn: str) -> None:
        """Grant each handler the calls that it makes; TransactWriteItems holds updates only."""
        self.store.grant_table(self.assigner.role, "GetItem", "PutItem")
        self.store.grant_table(self.recorder.role, "GetItem", "PutItem", "UpdateItem")
        grants.send_messages(self.recorder.role, self.store.dead_letters)
        evaluator = self.evaluator.role
        self.store.grant_table(evaluator, "GetItem", "PutItem")
        self.store.grant_read_cohorts(evaluator)
        bus = cdk.Stack.of(self).format_arn(service="events", resource="event-bus", resource_name="default")
        grants.allow(evaluator, ["events:PutEvents"], [bus])
        if shift_arn:
            grants.allow(evaluator, ["states:StartExecution"], [shift_arn])

    def _add_alarms(self, metric: BusinessMetric) -> None:
        errors = {"Assigner": self.assigner, "Recorder": self.recorder, "Evaluator": self.evaluator}
        watched = [
            (rules.DEPTH_ALARM, "DepthAlarm", self.store.depth_metric),
            (rules.backlog_alarm(metric), "BacklogAlarm", self.store.age_metric),
            *(
                (rules.ERROR_ALARMS[name], f"{name}ErrorAlarm", handler.function.metric_errors())
                for name, handler in errors.items()
            ),
        ]
        for rule, id, watched_metric in watched:
            add_alarm(self, id, metric=watched_metric, rule=rule, topic=self._alarm_topic)


def _arn(shift: TrafficShift | sfn.IStateMachine | None) -> str:
    if shift is None:
        return ""
    return shift.machine.arn if isinstance(shift, TrafficShift) else shift.state_machine_arn
