"""EMR1: a cluster that has nothing to do ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cdk_ml_lens.review import jobs
from cdk_ml_lens.review.intrinsics import surely_not
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find clusters that stay without steps, of the template and of its state machines."""
    for cluster in template.of_type("AWS::EMR::Cluster"):
        stays = surely_not(cluster.get("Instances.KeepJobFlowAliveWhenNoSteps", True), False)
        if stays and cluster.get("AutoTerminationPolicy") is None:
            yield Finding(logical_id=cluster.logical_id, message="stays when it is idle: no AutoTerminationPolicy")
    for owner, name in _of_machines(template):
        yield Finding(
            logical_id=owner,
            message=f"{name} makes a cluster that stays, and no state ends it",
            detail=f"State::{name}",
        )


def _of_machines(template: Template) -> Iterator[tuple[str, str]]:
    calls = [job for job in jobs.of(template) if job.service == "elasticmapreduce"]
    ending = {job.owner.logical_id for job in calls if job.operation == "terminateCluster"}
    for job in calls:
        if job.operation == "createCluster" and job.owner.logical_id not in ending and _stays(job.arguments):
            yield job.owner.logical_id, job.name


def _stays(arguments: Mapping[str, Any]) -> bool:
    instances = arguments.get("Instances")
    kept = isinstance(instances, Mapping) and instances.get("KeepJobFlowAliveWhenNoSteps") is True
    return kept and "AutoTerminationPolicy" not in arguments


RULE = Rule(
    id="EMR1",
    title="Idle EMR clusters end",
    practices=("MLCOST04-BP08", "MLSUS03-BP01"),
    severity=Severity.WARNING,
    explanation="A cluster is billed by the second for all its instances, whether it computes or not.",
    fix="Set AutoTerminationPolicy.IdleTimeout, or Instances.KeepJobFlowAliveWhenNoSteps to false.",
    source="https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-auto-termination-policy.html",
    check=check,
)
