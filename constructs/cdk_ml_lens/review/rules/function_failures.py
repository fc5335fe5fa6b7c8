"""FN2: an event that a function could not handle is kept."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import functions
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Resource, Template

_CONFIG = "AWS::Lambda::EventInvokeConfig"


def check(template: Template) -> Iterator[Finding]:
    """Find functions called asynchronously, stream readers and queues with nowhere to put what fails."""
    for function in functions.called_asynchronously(template):
        if function.get("DeadLetterConfig") is None and not _has_destination(template, function):
            yield Finding(
                logical_id=function.logical_id, message="called asynchronously, with no failure destination or queue"
            )
    for mapping in template.of_type("AWS::Lambda::EventSourceMapping"):
        yield from _mapping(template, mapping)


def _has_destination(template: Template, function: Resource) -> bool:
    configs = [user for user in template.users_of(function.logical_id) if user.type == _CONFIG]
    return any(config.get("DestinationConfig.OnFailure") is not None for config in configs)


def _mapping(template: Template, mapping: Resource) -> Iterator[Finding]:
    if mapping.get("StartingPosition") is not None:
        if mapping.get("DestinationConfig.OnFailure") is None:
            yield Finding(logical_id=mapping.logical_id, message="reads a stream, with no OnFailure destination")
        return
    queue = template.target(mapping.get("EventSourceArn"))
    if queue is not None and queue.type == "AWS::SQS::Queue" and queue.get("RedrivePolicy") is None:
        yield Finding(logical_id=mapping.logical_id, message=f"reads queue {queue.logical_id}, without RedrivePolicy")


RULE = Rule(
    id="FN2",
    title="Functions keep what they could not handle",
    practices=("MLREL02-BP02",),
    severity=Severity.ERROR,
    explanation="After the last retry the event is gone: a reading not scored, a drift not answered, and no trace.",
    fix="Set DestinationConfig.OnFailure (EventInvokeConfig, EventSourceMapping), or RedrivePolicy on the queue.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html",
    check=check,
)
