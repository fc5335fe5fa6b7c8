"""Rule and Finding: one check of a synthesized template, and what it found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from cdk_ml_lens.review.template import Template

PACK = "MlLens"


class Severity(StrEnum):
    """How bad a finding is: an unacknowledged error fails the synthesis, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One place of a template where a rule is broken.

    Parameters
    ----------
    logical_id : str
        Resource that breaks the rule.
    message : str
        What is wrong there, with the value that is.
    detail : str, optional
        Tells findings of one rule on one resource apart: ``Action::s3:*``. Default: the rule has one finding each.
    """

    logical_id: str
    message: str
    detail: str | None = None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A check of a template: a pure function with what a reviewer must know about it.

    Parameters
    ----------
    id : str
        Short id, unique in the pack: ``SM1``.
    title : str
        What holds where the rule is kept, in one line.
    practices : tuple of str
        Best practices of the Machine Learning Lens, version 2025-11, that it checks: ``MLSEC03-BP02``.
    severity : Severity
        Default severity; an app may change it.
    explanation : str
        What happens to whom when it is broken.
    fix : str
        What to set, by CloudFormation property.
    source : str
        Page that says so.
    check : callable
        Takes a `Template`, yields `Finding` objects in the order of the template.
    """

    id: str
    title: str
    practices: tuple[str, ...]
    severity: Severity
    explanation: str
    fix: str
    source: str
    check: Callable[[Template], Iterable[Finding]]

    def name(self, detail: str | None = None) -> str:
        """Return the name of a finding in reports: ``MlLens-SM1``, or ``MlLens-IAM1[Action::s3:*]``."""
        return f"{PACK}-{self.id}" if detail is None else f"{PACK}-{self.id}[{detail}]"

    def qualified(self, detail: str | None = None) -> str:
        """Return the id that acknowledges a finding: ``MlLens::MlLens-SM1``."""
        return f"{PACK}::{self.name(detail)}"
