"""Generates the alarms that roll an update back, one set per variant, before the endpoint that they guard."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_ml_lens.core.alarms import AlarmRule, add_alarm
from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.hosting.reference import EndpointReference
from cdk_ml_lens.hosting.rollout import RollbackAlarms

_MAX_ALARMS = 10  # API_AutoRollbackConfig, Alarms


class RollbackAlarmSet(Construct):
    """The metric alarms of a `RollbackAlarms` for every variant of an endpoint.

    Attributes
    ----------
    alarms : list of Alarm
        Generated alarms.
    names : list of str
        Their names and those of the caller's own.

    Raises
    ------
    PropError
        When there would be more than the ten that SageMaker AI takes.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoint: EndpointReference,
        variants: Sequence[str],
        wanted: RollbackAlarms,
        topic: sns.ITopic | None,
    ) -> None:
        count = len(variants) * len(_rules(wanted)) + len(wanted.own)
        faults = Faults("rollout")
        faults.unless(
            count <= _MAX_ALARMS, "alarms", f"number at most {_MAX_ALARMS}", count, "see API_AutoRollbackConfig"
        )
        faults.raise_any()
        super().__init__(scope, id)
        self.alarms = [
            add_alarm(self, f"{variant}{name}", metric=_metric(endpoint, variant, rule), rule=rule, topic=topic)
            for variant in variants
            for name, rule in _rules(wanted).items()
        ]
        self.names = [alarm.alarm_name for alarm in (*self.alarms, *wanted.own)]


def _rules(wanted: RollbackAlarms) -> dict[str, AlarmRule]:
    """Return id → rule; a rate is a share of the invocations, a latency is in microseconds."""
    rules = {
        "ServerErrors": _rule("Invocation5XXErrors", wanted.server_error_rate),
        "Latency": _rule("ModelLatency", wanted.latency_p99_ms * 1000, statistic="p99"),
    }
    if wanted.client_error_rate is not None:
        rules["ClientErrors"] = _rule("Invocation4XXErrors", wanted.client_error_rate)
    if wanted.overhead_p99_ms is not None:
        rules["Overhead"] = _rule("OverheadLatency", wanted.overhead_p99_ms * 1000, statistic="p99")
    if wanted.silence:
        rules["Silence"] = AlarmRule(
            metric="Invocations", threshold=1, comparison="below", period_minutes=1, periods=3, missing="breaching"
        )
    return rules


def _rule(metric: str, threshold: float, *, statistic: str = "Average") -> AlarmRule:
    return AlarmRule(metric=metric, threshold=threshold, statistic=statistic, period_minutes=1, periods=1)


def _metric(endpoint: EndpointReference, variant: str, rule: AlarmRule) -> cloudwatch.Metric:
    """SageMaker AI emits 0 or 1 per request for error metrics, so their average is the error rate.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html, Invocation5XXErrors.
    """
    return endpoint.metric(rule.metric, variant=variant)
