"""Entries of a report: every finding of every pack in one form, open or acknowledged, with the place it is at."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cdk_ml_lens.review.rule import Severity
from cdk_ml_lens.review.validation import Acknowledgement


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a finding is.

    Parameters
    ----------
    app, stack : str
        Assembly, and construct path of the stack.
    path : str
        Construct path; the logical id where the assembly tells no path.
    logical_id : str
        Empty where a plugin names a construct that is no resource.
    type : str
        CloudFormation type; empty as above.
    file : str
        Template, relative to the assembly.
    line : int
        Line of the resource in it; 1 where there is no resource.
    """

    app: str
    stack: str
    path: str
    logical_id: str
    type: str
    file: str
    line: int


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One finding.

    Parameters
    ----------
    pack, rule : str
        ``AwsSolutions`` and ``AwsSolutions-IAM5``.
    detail : str, optional
        ``Resource::*``; default: the rule finds one thing per resource.
    severity : Severity
    title : str
        What the rule asks for, or what a pack says is wrong.
    message, fix : str
        What is wrong here and what to do; empty where the pack says no more.
    place : Place
    pillar : str
        Pillar of the Machine Learning Lens: ``Security``.
    practices : tuple of str
        Best practices of the Lens; only rules of ours name them.
    acknowledgement : Acknowledgement, optional
        Default: the finding is open.
    """

    pack: str
    rule: str
    detail: str | None
    severity: Severity
    title: str
    message: str
    fix: str
    place: Place
    pillar: str
    practices: tuple[str, ...]
    acknowledgement: Acknowledgement | None

    @property
    def name(self) -> str:
        """Rule with its detail, as packs write it."""
        return self.rule if self.detail is None else f"{self.rule}[{self.detail}]"

    @property
    def text(self) -> str:
        """Title and message."""
        return f"{self.title}: {self.message}" if self.message else self.title

    @property
    def fingerprint(self) -> str:
        """Name of this finding that stays when lines and messages change: 16 hexadecimal digits."""
        place = self.place
        return digest(place.app, place.stack, place.path, self.name)

    @property
    def kind(self) -> str:
        """Name of rule and reason: the same for one acknowledgement in many places."""
        given = self.acknowledgement
        return digest(self.rule, "" if given is None else given.reason)


def digest(*parts: str) -> str:
    """Return 16 hexadecimal digits that stand for some texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
