"""SF3: no execution waits for ever."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cdk_ml_lens.review import jobs
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template

_LIMITS = ("TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds", "HeartbeatSecondsPath")


def check(template: Template) -> Iterator[Finding]:
    """Find tasks that wait for a job, a token or a worker, with no timeout of their own or of the machine."""
    for machine in template.of_type(jobs.MACHINE):
        if "TimeoutSeconds" in jobs.definition(machine):
            continue
        endless = [name for name, state in jobs.states(machine) if _waits(state) and not set(_LIMITS) & state.keys()]
        if endless:
            yield Finding(logical_id=machine.logical_id, message=f"may wait for ever in {', '.join(endless)}")


def _waits(state: Mapping[str, Any]) -> bool:
    resource = str(state.get("Resource", ""))
    return resource.endswith((".sync", ".sync:2", ".waitForTaskToken")) or ":activity:" in resource


RULE = Rule(
    id="SF3",
    title="Waiting tasks have a timeout",
    practices=("MLREL02-BP02", "MLCOST04-BP08"),
    severity=Severity.WARNING,
    explanation="A lost answer leaves the execution open for up to a year, and the next run waits behind it.",
    fix="Set TimeoutSeconds on the task, or at the top of the definition.",
    source="https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html",
    check=check,
)
