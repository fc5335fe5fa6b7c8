"""The 105 best practices of the Machine Learning Lens, version 2025-11, and how far the rules cover each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from cdk_ml_lens.review.pillars import of_practices
from cdk_ml_lens.review.practices_of_economy import ECONOMY
from cdk_ml_lens.review.practices_of_operations import OPERATIONS
from cdk_ml_lens.review.rule import Rule

PHASES = {
    "01": "Business goal identification",
    "02": "ML problem framing",
    "03": "Data processing",
    "04": "Model development",
    "05": "Deployment",
    "06": "Monitoring",
}
_PAGES = "https://docs.aws.amazon.com/wellarchitected/latest/machine-learning-lens"
_ENTRY = re.compile(
    r"^(?P<id>ML[A-Z]+(?P<phase>\d\d)-BP\d\d) (?P<all>[AP]) (?P<title>.+)\n    (?P<left>.+)$", re.MULTILINE
)


class Extent(StrEnum):
    """How far the rules cover a practice."""

    CHECKED = "checked"
    PARTLY = "partly"
    PROCESS = "process"


@dataclass(frozen=True, kw_only=True)
class Practice:
    """One best practice of the Lens.

    Parameters
    ----------
    id : str
        ``MLSEC03-BP02``.
    title : str
        In short words; the Lens has the full one.
    phase : str
        Phase of the lifecycle, one of `PHASES`.
    pillar : str
        Pillar of the Well-Architected Framework.
    url : str
    in_template : bool
        Whether a template can show all that it asks.
    left : str
        What is left to people, or to do where no rule looks.
    """

    id: str
    title: str
    phase: str
    pillar: str
    url: str
    in_template: bool
    left: str


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """How far a set of rules covers one practice.

    Parameters
    ----------
    practice : Practice
    extent : Extent
        Checked: rules look, and a template can show all of it. Partly: rules look at what a template can show.
        Process: no rule looks.
    rules : tuple of str
        Names of the rules that name the practice: ``MlLens-SM1``.
    reason : str
        What is left; empty where the practice is checked.
    """

    practice: Practice
    extent: Extent
    rules: tuple[str, ...]
    reason: str


@cache
def every_practice() -> tuple[Practice, ...]:
    """Return the best practices in the order of the Lens: by pillar, phase and number."""
    return tuple(_practice(found) for found in _ENTRY.finditer(OPERATIONS + ECONOMY))


def coverage(rules: Sequence[Rule]) -> tuple[Coverage, ...]:
    """Return the coverage of every best practice by ``rules``, in the order of the Lens."""
    return tuple(_coverage(practice, rules) for practice in every_practice())


def _practice(found: re.Match[str]) -> Practice:
    return Practice(
        id=found["id"],
        title=found["title"],
        phase=PHASES[found["phase"]],
        pillar=of_practices((found["id"],)),
        url=f"{_PAGES}/{found['id'].lower()}.html",
        in_template=found["all"] == "A",
        left=found["left"],
    )


def _coverage(practice: Practice, rules: Sequence[Rule]) -> Coverage:
    naming = tuple(rule.name() for rule in rules if practice.id in rule.practices)
    extent = Extent.PROCESS
    if naming:
        extent = Extent.CHECKED if practice.in_template else Extent.PARTLY
    reason = "" if extent is Extent.CHECKED else practice.left
    return Coverage(practice=practice, extent=extent, rules=naming, reason=reason)
