"""Event rules of an app: which sources they listen to."""

from __future__ import annotations

from cdk_ml_lens.review.intrinsics import each_value
from cdk_ml_lens.review.template import Template


def listens_to(template: Template, source: str) -> bool:
    """Tell whether any rule of the app, enabled, listens to a source: ``aws.cloudwatch``."""
    return any(
        rule.get("State", "ENABLED") != "DISABLED" and source in map(str, each_value(rule.get("EventPattern.source")))
        for rule in template.everywhere("AWS::Events::Rule")
    )
