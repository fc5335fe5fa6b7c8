"""OPS4: somebody hears when work is set aside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cdk_ml_lens.review.exports import is_exported
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template

# Where CloudFormation names a queue for what failed.
_KEYS = frozenset({"deadLetterTargetArn", "DeadLetterConfig", "OnFailure", "ErrorAction", "DeadLetterArn"})


def check(template: Template) -> Iterator[Finding]:
    """Find queues that take failed work and have no alarm of their own."""
    taken = [value for resource in template.resources.values() for value in _named(resource.properties)]
    for queue in template.targets(taken):
        alarmed = any(user.type == "AWS::CloudWatch::Alarm" for user in template.users_of(queue.logical_id))
        if queue.type == "AWS::SQS::Queue" and not alarmed and not is_exported(template, queue.logical_id):
            yield Finding(logical_id=queue.logical_id, message="takes failed work, and no alarm watches it")


def _named(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from [inner] if key in _KEYS else _named(inner)
    elif isinstance(value, list):
        for item in value:
            yield from _named(item)


RULE = Rule(
    id="OPS4",
    title="Dead-letter queues have an alarm",
    practices=("MLREL02-BP02", "MLOPS06-BP02"),
    severity=Severity.WARNING,
    explanation="Readings that could not be scored wait unseen, and are deleted when the queue's retention ends.",
    fix="Add an alarm on ApproximateNumberOfMessagesVisible of AWS/SQS with the queue's name.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/dead-letter-queues-alarms-cloudwatch.html",
    check=check,
)
