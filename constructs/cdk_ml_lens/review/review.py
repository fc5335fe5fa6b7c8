"""A review: findings of one or more cloud assemblies, held against a baseline, with the evidence beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cdk_ml_lens.review import baseline, evidence, gather, sidecar, validation
from cdk_ml_lens.review.assembly import Assembly
from cdk_ml_lens.review.baseline import Baseline, Trend
from cdk_ml_lens.review.entries import Entry
from cdk_ml_lens.review.evidence import Evidence
from cdk_ml_lens.review.rule import PACK, Rule, Severity
from cdk_ml_lens.review.rules import every_rule


@dataclass(frozen=True, kw_only=True)
class Review:
    """What a reviewer reads.

    Parameters
    ----------
    title : str
    assemblies : tuple of Assembly
    entries : tuple of Entry
        By assembly, pack, rule and place.
    rules : tuple of Rule
        Ours.
    trend : Trend, optional
        Default: there is no baseline.
    evidence : Evidence
    """

    title: str
    assemblies: tuple[Assembly, ...]
    entries: tuple[Entry, ...]
    rules: tuple[Rule, ...]
    trend: Trend | None
    evidence: Evidence = field(default_factory=Evidence)

    @property
    def open(self) -> tuple[Entry, ...]:
        """Findings that nobody acknowledged."""
        return tuple(entry for entry in self.entries if entry.acknowledgement is None)

    @property
    def acknowledged(self) -> tuple[Entry, ...]:
        """Findings with a reason."""
        return tuple(entry for entry in self.entries if entry.acknowledgement is not None)

    @property
    def errors(self) -> int:
        """Open findings of severity error."""
        return sum(entry.severity is Severity.ERROR for entry in self.open)

    @property
    def verdict(self) -> str:
        """The result in one sentence."""
        given = f"{_count(len(self.acknowledged), 'finding')} acknowledged, each with a reason"
        if not self.open:
            return f"No finding is open; {given}."
        parts = [_count(self.errors, "error")] if self.errors else []
        warnings = len(self.open) - self.errors
        parts += [_count(warnings, "warning")] if warnings else []
        return f"Open: {' and '.join(parts)}; {given}."

    @property
    def digest(self) -> str:
        """SHA-256 of everything that was reviewed: templates, and what their packs reported of them."""
        made = hashlib.sha256()
        for assembly in self.assemblies:
            for sheet in assembly.sheets:
                made.update(f"{sheet.app}\0{sheet.file}\0{sheet.text}\0".encode())
        for entry in self.entries:
            given = entry.acknowledgement
            made.update(f"{entry.fingerprint}\0{entry.severity}\0{'' if given is None else given.reason}\0".encode())
        return made.hexdigest()


def review(
    assemblies: Sequence[Assembly], *, title: str, before: Baseline | None = None, evidence_in: Path | None = None
) -> Review:
    """Review cloud assemblies.

    Parameters
    ----------
    assemblies : sequence of Assembly
        See `cdk_ml_lens.review.assembly.read`.
    title : str
        Heading of the report.
    before : Baseline, optional
        Default: nothing is compared.
    evidence_in : Path, optional
        Folder with ``iam.json`` and ``faults.json``. Default: none.
    """
    rules = every_rule()
    entries = [entry for assembly in assemblies for entry in gather.entries_of(assembly, rules)]
    ordered = tuple(dict.fromkeys(entries))  # two runs of a pack over one template would say everything twice
    return Review(
        title=title,
        assemblies=tuple(assemblies),
        entries=ordered,
        rules=rules,
        trend=None if before is None else baseline.compare(ordered, before),
        evidence=evidence.read(evidence_in),
    )


def packs_of(assembly: Assembly) -> tuple[str, ...]:
    """Return the packs that are known to have run on an assembly; ours always has."""
    noted = sidecar.parse(assembly.document(sidecar.FILE)).packs
    told = validation.packs(assembly.document(validation.FILE))
    return tuple(dict.fromkeys((PACK, *noted, *told)))


def package_version(name: str) -> str:
    """Return the version of an installed package, or that it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
