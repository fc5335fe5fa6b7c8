"""What a report says about the Lens and about AWS's services, whatever was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cdk_ml_lens.review.assembly import Assembly
from cdk_ml_lens.review.lifecycle import Lifecycle
from cdk_ml_lens.review.lifecycle_closed import CLOSED
from cdk_ml_lens.review.lifecycle_closed_sagemaker import CLOSED_OF_SAGEMAKER
from cdk_ml_lens.review.lifecycle_ended import ENDED
from cdk_ml_lens.review.practices import coverage
from cdk_ml_lens.review.rule import Rule


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """A best practice, and how far this report speaks about it."""

    id: str
    title: str
    pillar: str
    phase: str
    url: str
    coverage: str
    rules: tuple[str, ...]
    reason: str


def practices(rules: Sequence[Rule]) -> tuple[Coverage, ...]:
    """Return every best practice of the Lens with its coverage by ``rules``."""
    return tuple(
        Coverage(
            id=one.practice.id,
            title=one.practice.title,
            pillar=one.practice.pillar,
            phase=one.practice.phase,
            url=one.practice.url,
            coverage=one.extent.value,
            rules=one.rules,
            reason=one.reason,
        )
        for one in coverage(rules)
    )


def lifecycle() -> tuple[Lifecycle, ...]:
    """Return the services and features that ended or are closed to new customers, by name."""
    return tuple(sorted((*ENDED, *CLOSED, *CLOSED_OF_SAGEMAKER), key=lambda entry: entry.name.lower()))


def cdk_versions(assemblies: Sequence[Assembly]) -> list[str]:
    """Return the versions of aws-cdk-lib that made the assemblies, as their construct trees tell."""
    roots = [(assembly.document("tree.json") or {}).get("tree", {}) for assembly in assemblies]
    told = {str(root.get("constructInfo", {}).get("version", "")) for root in roots}
    return sorted(version for version in told if version)
