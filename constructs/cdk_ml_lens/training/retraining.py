"""Retraining: causes start a training pipeline, one run at a time, not too often, none lost and none doubled."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.alarms import AlarmRule, add_alarm
from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.event_rules import tell
from cdk_ml_lens.core.function import HandlerFunction
from cdk_ml_lens.core.keys import key_or_new
from cdk_ml_lens.core.machine import DefinedMachine
from cdk_ml_lens.core.nag import explain
from cdk_ml_lens.training import retraining_access as access
from cdk_ml_lens.training.dataset_source import DatasetSource
from cdk_ml_lens.training.retraining_events import RetrainingEvents
from cdk_ml_lens.training.retraining_store import RetrainingStore
from cdk_ml_lens.training.retraining_values import RetrainingCause, RetrainingPolicy, RunsByMachine

SOURCE = "cdk-ml-lens.retraining"  # ml_lens_runtime.retrain_outbox
STARTED, SKIPPED, ENDED = "Retraining Started", "Retraining Skipped", "Retraining Ended"
NAMESPACE = "CdkMlLens/Retraining"  # ml_lens_runtime.retrain_metrics
DEPTH_ALARM = AlarmRule(
    metric="ApproximateNumberOfMessagesVisible",
    statistic="Maximum",
    period_minutes=1,
    threshold=0,
    description="Retraining could not handle an event. See the function's log, then send the event to it again.",
)
ERROR_ALARM = AlarmRule(
    metric="Errors",
    threshold=0,
    periods=3,
    datapoints=2,
    description="Retraining fails again and again: nothing is trained until its cause is mended. See its log.",
)
_HEARD = "Retraining hears of this alarm's changes by EventBridge, which needs no action; add one for people."


class Retraining(Construct):
    """Starts a training pipeline by schedule, new data or drift.

    A cause starts one run, however often it is delivered. A cause that comes while a run is on, or within the
    cool-down, waits, and all that wait share the next run. Drift that waited runs only if its alarm still stands.

    Parameters
    ----------
    scope, id
        As for every construct.
    pipeline : RunsByMachine
        A `TrainingPipeline`; it is started with ``{"dataset": …, "cause": …}``.
    datasets : DatasetSource
        Where datasets lie; that of the pipeline.
    causes : sequence of RetrainingCause
        Why it is started; besides, anybody who is granted `grant_request`.
    policy : RetrainingPolicy, optional
        Cool-down and new rows. Default: 6 hours, 1,000 rows.
    preparation : RunsByMachine, optional
        A `LakePipeline` that makes a new dataset first, unless new data is the cause. Default: none, the newest dataset
        is taken as it is.
    encryption_key : IKey, optional
        Customer managed key of records, logs and dead letters. Default: a new one.
    alarm_topic : ITopic, optional
        Who hears of events that could not be handled. Default: nobody.

    Attributes
    ----------
    name : str
        Value of the metrics' dimension ``Retraining``.
    handler : HandlerFunction
    store : RetrainingStore

    Raises
    ------
    PropError
        When there are two schedules with one expression, or new data twice.

    Notes
    -----
    Starting by a fixed name is idempotent:
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html. Lens best practices
    MLOPS07-BP02, MLREL05-BP01; Lens figure 13.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        pipeline: RunsByMachine,
        datasets: DatasetSource,
        causes: Sequence[RetrainingCause],
        policy: RetrainingPolicy | None = None,
        preparation: RunsByMachine | None = None,
        encryption_key: kms.IKey | None = None,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        _check(causes)
        super().__init__(scope, id)
        self._alarm_topic = alarm_topic
        wanted = RetrainingPolicy() if policy is None else policy
        key = key_or_new(self, encryption_key, description="Encrypts the records of retraining")
        self.name = cdk.Names.unique_resource_name(self, max_length=60, separator="-")
        machines = [one.machine for one in (pipeline, preparation) if one is not None]
        self.store = RetrainingStore(self, "Store", encryption_key=key)
        self.handler = self._handler(key, datasets, machines, wanted)
        self.store.serve(self.handler)
        access.read_manifests(self.handler.role, datasets)
        access.run_machines(self.handler.role, machines)
        alarms = [cause.alarm for cause in causes if cause.alarm is not None]
        access.tell_and_ask(self.handler.role, alarms)
        for alarm in alarms:
            explain(alarm, {"CloudWatchAlarmAction": _HEARD})
        self.events = RetrainingEvents(
            self,
            "Events",
            function=self.handler.function,
            causes=causes,
            datasets=datasets,
            machines=[machine.arn for machine in machines],
            look_minutes=wanted.look_minutes,
            dead_letters=self.store.dead_letters,
        )
        depth = self.store.dead_letters.metric_approximate_number_of_messages_visible()
        add_alarm(self, "DepthAlarm", metric=depth, rule=DEPTH_ALARM, topic=alarm_topic)
        errors = self.handler.function.metric_errors()
        add_alarm(self, "ErrorAlarm", metric=errors, rule=ERROR_ALARM, topic=alarm_topic)

    def grant_request(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to ask for a run by hand, with ``{"cause": "manual", "id": "…", "reason": "…"}``."""
        return grants.allow(grantee, ["lambda:InvokeFunction"], [self.handler.function.function_arn])

    def metric(self, name: str) -> cloudwatch.Metric:
        """Return one metric, in ``CdkMlLens/Retraining``, for example ``CausesWaiting``."""
        return cloudwatch.Metric(namespace=NAMESPACE, metric_name=name, dimensions_map={"Retraining": self.name})

    def alarm(self, id: str, rule: AlarmRule) -> cloudwatch.Alarm:
        """Make an alarm on a metric of retraining."""
        return add_alarm(self, id, metric=self.metric(rule.metric), rule=rule, topic=self._alarm_topic)

    def on_started(self, id: str, target: events.IRuleTarget) -> events.Rule:
        """Tell a target of every start: run, causes, dataset."""
        return self._on(id, STARTED, target)

    def on_skipped(self, id: str, target: events.IRuleTarget) -> events.Rule:
        """Tell a target of causes that started nothing, and the reason."""
        return self._on(id, SKIPPED, target)

    def on_ended(self, id: str, target: events.IRuleTarget) -> events.Rule:
        """Tell a target of every end: run, status, error."""
        return self._on(id, ENDED, target)

    def _on(self, id: str, detail_type: str, target: events.IRuleTarget) -> events.Rule:
        detail = {"retraining": [self.name]}
        pattern = events.EventPattern(source=[SOURCE], detail_type=[detail_type], detail=detail)
        return tell(self, id, pattern=pattern, target=target)

    def _handler(
        self, key: kms.IKey, datasets: DatasetSource, machines: Sequence[DefinedMachine], policy: RetrainingPolicy
    ) -> HandlerFunction:
        environment = {
            "RETRAINING_NAME": self.name,
            "TABLE_NAME": self.store.table.table_name,
            "MACHINE_ARN": machines[0].arn,
            "PREPARATION_ARN": machines[1].arn if len(machines) > 1 else "",
            "DATASET_BUCKET": datasets.bucket.bucket_name,
            "DATASET_PREFIX": f"{datasets.prefix}/",
            "COOL_DOWN_SECONDS": str(60 * policy.cool_down_minutes),
            "MINIMUM_NEW_ROWS": str(policy.minimum_new_rows),
        }
        return HandlerFunction(
            self,
            "Handler",
            handler="start_retraining",
            environment=environment,
            encryption_key=key,
            timeout_seconds=120,
        )


def _check(causes: Sequence[RetrainingCause]) -> None:
    faults = Faults("retraining")
    schedules = [cause.trigger.expression for cause in causes if cause.trigger is not None]
    faults.unless(len(set(schedules)) == len(schedules), "causes", "have schedules that differ", schedules)
    data = [cause.way for cause in causes if cause.kind == "data"]
    faults.unless(len(data) <= 1, "causes", "have new data at most once, or it counts twice", data)
    faults.raise_any()
