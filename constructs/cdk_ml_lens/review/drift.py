"""Signs of drift in a template, and what they set off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cdk_ml_lens.review import intrinsics, jobs
from cdk_ml_lens.review.template import Resource, Template

SCHEDULE = "AWS::SageMaker::MonitoringSchedule"
_ALARM = "AWS::CloudWatch::Alarm"
_STARTS = (jobs.MACHINE, jobs.PIPELINE, "AWS::Lambda::Function", "AWS::CodePipeline::Pipeline")
_TRAINS = ("createTrainingJob", "createHyperParameterTuningJob", "createAutoMLJob", "createAutoMLJobV2")


def signs(template: Template) -> list[Resource]:
    """Return what tells of drift: SageMaker AI's monitoring schedules, and alarms on metrics of drift."""
    return template.of_type(SCHEDULE) + [alarm for alarm in template.of_type(_ALARM) if _is_of_drift(alarm)]


def _is_of_drift(alarm: Resource) -> bool:
    metrics = [alarm.properties, *(intrinsics.at(query, "MetricStat.Metric", {}) for query in alarm.blocks("Metrics"))]
    return any("drift" in str(intrinsics.at(one, "MetricName")).lower() for one in metrics)


def is_heard(template: Template, sign: Resource) -> bool:
    """Tell whether anything follows from a sign: an action of the alarm, or a rule on the event."""
    return bool(sign.each("AlarmActions")) or any(True for _ in _targets(template, sign))


def starts_work(template: Template, sign: Resource) -> bool:
    """Tell whether a sign starts a machine, a pipeline or a function, or could: what is not known here counts."""
    arns = [*_targets(template, sign), *_actions(template, sign)]
    return any(_is_work(template, arn) for arn in arns)


def trained_by_calendar(template: Template) -> Iterator[Resource]:
    """Yield schedules that start a training which nothing else in the template starts."""
    trains = {job.owner.logical_id for job in jobs.of(template) if job.operation in _TRAINS}
    rules = template.of_type("AWS::Events::Rule")
    timed = [rule for rule in rules if rule.get("ScheduleExpression") is not None]
    on_events = {name for rule in rules if rule not in timed for name in intrinsics.references(rule.get("Targets"))}
    for schedule in (*template.of_type("AWS::Scheduler::Schedule"), *timed):
        started = set(intrinsics.references([schedule.get("Target"), schedule.get("Targets")]))
        if started & trains - on_events:
            yield schedule


def _targets(template: Template, sign: Resource) -> Iterator[Any]:
    """Yield the ARNs that rules on a sign's event call."""
    for rule in template.everywhere("AWS::Events::Rule"):
        if _hears(template, rule, sign):
            yield from (intrinsics.at(target, "Arn") for target in rule.each("Targets"))


def _hears(template: Template, rule: Resource, sign: Resource) -> bool:
    pattern = rule.get("EventPattern", {})
    if intrinsics.intrinsic(pattern) or sign.logical_id in intrinsics.references(pattern):
        return True
    name = sign.get("AlarmName", sign.get("MonitoringScheduleName"))
    text = intrinsics.text(pattern)
    if isinstance(name, str) and name in text:
        return True
    any_alarm = "resources" not in pattern or template.is_open(pattern["resources"])
    return sign.type == _ALARM and "CloudWatch Alarm State Change" in text and any_alarm


def _actions(template: Template, sign: Resource) -> Iterator[Any]:
    """Yield the ARNs that an alarm's actions reach, through the subscriptions of topics, too."""
    topics = set()
    for action in sign.each("AlarmActions"):
        yield action
        topics |= {target.logical_id for target in template.targets(action)}
    for subscription in template.of_type("AWS::SNS::Subscription"):
        if topics & set(intrinsics.references(subscription.get("TopicArn"))):
            yield subscription.get("Endpoint")


def _is_work(template: Template, arn: Any) -> bool:
    target = template.target(arn)
    if target is not None:
        return target.type in _STARTS
    text = intrinsics.text(arn)
    return any(f":{kind}:" in text for kind in ("states", "sagemaker", "lambda")) or template.is_open(text)
