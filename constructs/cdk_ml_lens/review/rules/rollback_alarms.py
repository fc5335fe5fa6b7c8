"""SM7: guarded updates roll back on alarms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cdk_ml_lens.review import endpoints, intrinsics, jobs
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find deployment configurations without alarms, of endpoints and of calls in state machines."""
    for endpoint in template.of_type(endpoints.ENDPOINT):
        if _unguarded(endpoint.get("DeploymentConfig")):
            yield Finding(logical_id=endpoint.logical_id, message="DeploymentConfig has no rollback alarm")
    for job in jobs.of(template):
        if job.operation == "updateEndpoint" and _unguarded(job.get("DeploymentConfig")):
            yield Finding(logical_id=job.owner.logical_id, message=f"update in {job.name} has no rollback alarm")


def _unguarded(deployment: Any) -> bool:
    """Tell whether a deployment configuration is given and certainly names no alarm."""
    if not isinstance(deployment, dict):
        return False
    return not intrinsics.at(deployment, "AutoRollbackConfiguration.Alarms")


RULE = Rule(
    id="SM7",
    title="Guarded updates roll back on alarms",
    practices=("MLREL04-BP02",),
    severity=Severity.ERROR,
    explanation="A canary without alarms shifts all traffic whatever happens: it only delays the fault.",
    fix="Name at least one alarm in DeploymentConfig.AutoRollbackConfiguration.Alarms.",
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html",
    check=check,
)
