"""SF4: a task that fails is caught, or somebody hears of it."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import events, jobs
from cdk_ml_lens.review.exports import is_exported
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Resource, Template


def check(template: Template) -> Iterator[Finding]:
    """Find machines with a task that nothing catches, and neither alarm nor event rule on failed executions."""
    if events.listens_to(template, "aws.states"):
        return
    for machine in template.of_type(jobs.MACHINE):
        tasks = [(name, state) for name, state in jobs.states(machine) if state.get("Type") == "Task"]
        loose = [name for name, state in tasks if not state.get("Catch")]
        if loose and not _is_watched(template, machine):
            yield Finding(
                logical_id=machine.logical_id, message=f"no Catch in {', '.join(loose)}, and no alarm on the machine"
            )


def _is_watched(template: Template, machine: Resource) -> bool:
    if is_exported(template, machine.logical_id):
        return True
    here = any(user.type == "AWS::CloudWatch::Alarm" for user in template.users_of(machine.logical_id))
    alarms = [alarm for other in template.others for alarm in other.of_type("AWS::CloudWatch::Alarm")]
    return here or any(alarm.get("Namespace") == "AWS/States" for alarm in alarms)


RULE = Rule(
    id="SF4",
    title="Failed tasks are caught or alarmed",
    practices=("MLREL02-BP02", "MLOPS05-BP01"),
    severity=Severity.WARNING,
    explanation="The nightly pipeline stops, and the model ages for weeks before anyone looks.",
    fix="Add Catch to the tasks, or an alarm on ExecutionsFailed of AWS/States with the machine's ARN.",
    source="https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html",
    check=check,
)
