"""TrafficShift: moves live traffic between two production variants, step by step, and back when it goes wrong."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_ml_lens.core.alarms import AlarmRule, add_alarm
from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.event_rules import tell
from cdk_ml_lens.core.keys import key_or_new
from cdk_ml_lens.core.machine import DefinedMachine
from cdk_ml_lens.core.refs import InvocableEndpoint
from cdk_ml_lens.hosting import shift_access as access
from cdk_ml_lens.hosting.endpoint import ModelEndpoint
from cdk_ml_lens.hosting.shift_asl import DETAIL_TYPE, SOURCE
from cdk_ml_lens.hosting.shift_checks import ShiftChecks
from cdk_ml_lens.hosting.shift_machine import definition
from cdk_ml_lens.hosting.shift_plan import ShiftPlan
from cdk_ml_lens.hosting.shift_recovery import claim_table, restore_after_loss

_MAX_ALARMS = 100  # AlarmNames: API_DescribeAlarms
_ALARMS = {
    "FailedAlarm": AlarmRule(
        metric="ExecutionsFailed", threshold=0, description="A traffic shift was stopped, restored or refused."
    ),
    "TimedOutAlarm": AlarmRule(
        metric="ExecutionsTimedOut", threshold=0, description="A traffic shift hung; a restoring execution was started."
    ),
    "AbortedAlarm": AlarmRule(
        metric="ExecutionsAborted",
        threshold=0,
        description="A traffic shift was stopped by hand: nobody watches its weights. Start it again to resume, "
        'or start {"restore": true}.',
    ),
}


class TrafficShift(Construct):
    """A state machine that moves weights from one production variant to another, without a Lambda function.

    Start it with ``{"from": "blue", "to": "green"}``, ``{"winner": "green", "test": "…"}`` or ``{"restore": true}``.

    Parameters
    ----------
    scope, id
        As for every construct.
    endpoint : InvocableEndpoint
        An endpoint with two or more production variants on instances.
    plan : ShiftPlan
        Steps and bakes.
    checks : ShiftChecks, optional
        Synthetic test and comparison of the variants. Default: ``ShiftChecks()``, the comparison alone.
    alarms : sequence of IAlarm
        Alarms that stop the shift when they ring, at most 100. Default: none.
    encryption_key : IKey, optional
        Customer managed key of the claim table and the log. Default: a new one.
    alarm_topic : ITopic, optional
        Who hears of failed, hung and aborted shifts. Default: nobody.

    Attributes
    ----------
    machine : DefinedMachine
    table : Table
        One item per endpoint: who shifts its traffic, at which step, and the weights before.

    Raises
    ------
    PropError
        When the endpoint has one variant only, blue/green has no synthetic test, or nothing would judge the variant.

    Notes
    -----
    Everything is AWS SDK integrations; source:
    https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html. Lens best practices
    MLREL04-BP02, MLOPS06-BP01.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoint: InvocableEndpoint,
        plan: ShiftPlan,
        checks: ShiftChecks | None = None,
        alarms: Sequence[cloudwatch.IAlarm] = (),
        encryption_key: kms.IKey | None = None,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        wanted = ShiftChecks() if checks is None else checks
        _check(endpoint, plan, wanted, alarms)
        super().__init__(scope, id)
        key = key_or_new(self, encryption_key, description="Encrypts the claims and the log of a traffic shift")
        self._endpoint_name = endpoint.endpoint_name
        self._alarm_topic = alarm_topic
        self.table = claim_table(self, key)
        self.machine = DefinedMachine(
            self,
            "Machine",
            encryption_key=key,
            definition=definition(plan, wanted, alarm_count=len(alarms), partition=cdk.Aws.PARTITION),
        )
        self._substitute(alarms)
        self._allow(endpoint, wanted, alarms)
        restore_after_loss(self, self.machine)
        for alarm_id, rule in _ALARMS.items():
            self.alarm(alarm_id, rule)

    def grant_start(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to start a shift, and to restore an interrupted one."""
        return self.machine.grant_start(grantee)

    def metric(self, name: str) -> cloudwatch.Metric:
        """Return one metric of the state machine, in ``AWS/States``."""
        return self.machine.metric(name)

    def metric_failed(self) -> cloudwatch.Metric:
        """Return the number of shifts that were stopped, restored or refused."""
        return self.metric("ExecutionsFailed")

    def metric_succeeded(self) -> cloudwatch.Metric:
        """Return the number of shifts that ended at 100 %."""
        return self.metric("ExecutionsSucceeded")

    def alarm(self, id: str, rule: AlarmRule) -> cloudwatch.Alarm:
        """Make an alarm on a metric of the state machine."""
        return add_alarm(self, id, metric=self.metric(rule.metric), rule=rule, topic=self._alarm_topic)

    def on_decision(self, id: str, target: events.IRuleTarget, *, decisions: Sequence[str] = ()) -> events.Rule:
        """Send decisions about this endpoint to a target.

        Parameters
        ----------
        id : str
            Construct id.
        target : IRuleTarget
            Who gets them.
        decisions : sequence of str
            ``started``, ``resumed``, ``tested``, ``shifted``, ``passed``, ``extended``, ``finished``, ``stopped``,
            ``restored``, ``refused``, ``restore_failed``. Default: all.
        """
        detail: dict[str, list[str]] = {"endpoint": [self._endpoint_name]}
        if decisions:
            detail["decision"] = list(decisions)
        pattern = events.EventPattern(source=[SOURCE], detail_type=[DETAIL_TYPE], detail=detail)
        return tell(self, id, pattern=pattern, target=target)

    def _substitute(self, alarms: Sequence[cloudwatch.IAlarm]) -> None:
        """Put the names into the definition: it is written, and linted, without them."""
        # The role names the executions that it may describe, so the machine's name must be known before the machine.
        self._machine_name = cdk.Names.unique_resource_name(self.machine, max_length=80, separator="-")
        self.machine.machine.state_machine_name = self._machine_name
        self.machine.machine.definition_substitutions = {
            "Endpoint": self._endpoint_name,
            "Table": self.table.table_name,
            **{f"Alarm{number}": alarm.alarm_name for number, alarm in enumerate(alarms)},
        }

    def _allow(self, endpoint: InvocableEndpoint, checks: ShiftChecks, alarms: Sequence[cloudwatch.IAlarm]) -> None:
        role = self.machine.role
        access.allow_claims(role, self.table)
        access.allow_weights(self, role, endpoint, asks=bool(checks.requests))
        access.allow_events(self, role)
        access.allow_holders(self, role, self._machine_name)
        policy = access.reading_policy(self, role, alarms=alarms, metrics=checks.comparison is not None)
        if policy is not None:
            self.machine.machine.node.add_dependency(policy)


def _check(
    endpoint: InvocableEndpoint, plan: ShiftPlan, checks: ShiftChecks, alarms: Sequence[cloudwatch.IAlarm]
) -> None:
    faults = Faults("traffic shift")
    if isinstance(endpoint, ModelEndpoint):
        names = endpoint.variant_names
        faults.unless(len(names) >= 2, "endpoint", "have two variants", names, "add the new one at weight 0")
    tested = plan.approach != "blue_green" or len(checks.requests) > 0
    faults.unless(
        tested, "checks", "have requests", checks.requests, "blue/green tests the new variant before it switches"
    )
    judged = checks.comparison is not None or len(alarms) > 0
    faults.unless(judged, "alarms", "not be empty without a comparison", alarms, "nothing would judge the new variant")
    faults.unless(len(alarms) <= _MAX_ALARMS, "alarms", f"number at most {_MAX_ALARMS}", len(alarms))
    faults.raise_any()
