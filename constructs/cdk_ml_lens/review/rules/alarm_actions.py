"""OPS3: an alarm reaches somebody."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import events
from cdk_ml_lens.review.exports import is_exported
from cdk_ml_lens.review.intrinsics import surely_not
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template

_ALARMS = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
_ONLY_SHOW = ("AWS::CloudWatch::Dashboard",)


def check(template: Template) -> Iterator[Finding]:
    """Find alarms without action that nothing in the template waits for: no rollback, no composite, no event rule."""
    if events.listens_to(template, "aws.cloudwatch"):
        return
    for alarm in template.of_type(*_ALARMS):
        silent = not alarm.get("AlarmActions") or surely_not(alarm.get("ActionsEnabled", True), True)
        users = (user for user in template.users_of(alarm.logical_id) if user.type not in _ONLY_SHOW)
        if silent and next(users, None) is None and not is_exported(template, alarm.logical_id):
            yield Finding(logical_id=alarm.logical_id, message="no AlarmActions, and nothing uses the alarm")


RULE = Rule(
    id="OPS3",
    title="Alarms act",
    practices=("MLOPS05-BP01", "MLPERF06-BP04"),
    severity=Severity.WARNING,
    explanation="The alarm turns red on a page that nobody has open, while the model answers wrongly.",
    fix="Set AlarmActions to a topic or an action, or use the alarm for a rollback.",
    source="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html",
    check=check,
)
