"""OPS5: a person lets a release into production."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template

_PRODUCTION = re.compile(r"prod|live", re.IGNORECASE)


def check(template: Template) -> Iterator[Finding]:
    """Find pipelines with a stage for production and no approval before its other actions."""
    for pipeline in template.of_type("AWS::CodePipeline::Pipeline"):
        approved = False
        for stage in pipeline.blocks("Stages"):
            approved = approved or _approves(stage)
            if _PRODUCTION.search(str(stage.get("Name"))) and not approved:
                yield Finding(
                    logical_id=pipeline.logical_id,
                    message=f"stage {stage.get('Name')} runs without an approval before it",
                    detail=f"Stage::{stage.get('Name')}",
                )


def _approves(stage: Mapping[str, Any]) -> bool:
    actions = [action for action in stage.get("Actions", []) if isinstance(action, Mapping)]
    return any(action.get("ActionTypeId", {}).get("Category") == "Approval" for action in actions)


RULE = Rule(
    id="OPS5",
    title="Releases to production are approved",
    practices=("MLOPS04-BP01", "MLREL04-BP01"),
    severity=Severity.WARNING,
    explanation="Whatever is merged, or retrained, answers customers minutes later; nobody looked at the evaluation.",
    fix="Add an action of category Approval to the stage, or to one before it.",
    source="https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals.html",
    check=check,
)
