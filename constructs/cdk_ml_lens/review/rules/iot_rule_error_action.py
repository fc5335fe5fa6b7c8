"""IOT2: a message that a rule's action refuses is kept."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.intrinsics import is_known
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find topic rules without an error action."""
    for rule in template.of_type("AWS::IoT::TopicRule"):
        payload = rule.get("TopicRulePayload", {})
        if rule.get("TopicRulePayload.ErrorAction") is None and is_known(payload.get("Sql")):
            yield Finding(logical_id=rule.logical_id, message="no ErrorAction: what an action refuses is lost")


RULE = Rule(
    id="IOT2",
    title="Topic rules have an error action",
    practices=("MLREL02-BP02",),
    severity=Severity.ERROR,
    explanation="When the action is throttled or refused, IoT Core drops the reading, and nobody learns of it.",
    fix="Set TopicRulePayload.ErrorAction to a queue, with a role that may send to it.",
    source="https://docs.aws.amazon.com/iot/latest/developerguide/rule-error-handling.html",
    check=check,
)
