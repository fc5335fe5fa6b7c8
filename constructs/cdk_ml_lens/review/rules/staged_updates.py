"""SM8: endpoint updates are staged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cdk_ml_lens.review import endpoints
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find endpoints with instances that may have guardrails and have none."""
    for endpoint, config in endpoints.pairs(template):
        variants = endpoints.variants(config)
        able = [one for one in variants if not endpoints.is_serverless(one) and not _is_excluded(one)]
        if able and endpoint.get("DeploymentConfig") is None:
            yield Finding(logical_id=endpoint.logical_id, message="no DeploymentConfig: updates are all at once")


def _is_excluded(variant: Mapping[str, Any]) -> bool:
    """Tell whether guardrails do not know the variant: Inf1, see deployment-guardrails-exclusions.html."""
    return str(variant.get("InstanceType")).startswith("ml.inf1.")


RULE = Rule(
    id="SM8",
    title="Endpoint updates are staged",
    practices=("MLREL04-BP01", "MLREL04-BP02"),
    severity=Severity.WARNING,
    explanation=(
        "Without guardrails an update replaces the fleet at once; a bad model answers everybody before anyone looks."
    ),
    fix="Set DeploymentConfig: a canary or linear blue/green update, or a rolling one, with rollback alarms.",
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html",
    check=check,
)
