"""Sums up a review: by stack and pack, by pillar, and what was put in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from cdk_ml_lens.review.assembly import Sheet
from cdk_ml_lens.review.entries import Entry
from cdk_ml_lens.review.pillars import PILLARS
from cdk_ml_lens.review.review import Review, packs_of
from cdk_ml_lens.review.rule import PACK, Severity

# The order of columns; packs of others follow by name.
ORDER = ("AwsSolutions", "Serverless", PACK, "HIPAA.Security", "NIST.800.53.R5", "PCI.DSS.321")


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Numbers of findings.

    Parameters
    ----------
    errors, warnings : int
        Open.
    acknowledged : int
    ran : bool
        Whether the pack is known to have run. Default: it is.
    """

    errors: int
    warnings: int
    acknowledged: int
    ran: bool = True

    @property
    def open(self) -> int:
        """Findings that nobody acknowledged."""
        return self.errors + self.warnings


@dataclass(frozen=True, kw_only=True)
class Row:
    """One stack.

    Parameters
    ----------
    app, stack : str
    key : str
        Both, as `cdk_ml_lens.review.grouping.stack_key` writes them.
    resources : int
    cells : tuple of Tally
        By pack, in the order of `Summary.packs`.
    """

    app: str
    stack: str
    key: str
    resources: int
    cells: tuple[Tally, ...]


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The review in numbers.

    Parameters
    ----------
    packs : tuple of str
    rows : tuple of Row
        By app and stack, in the order of the assemblies.
    totals : tuple of Tally
        By pack.
    pillars : tuple of (str, Tally)
    """

    packs: tuple[str, ...]
    rows: tuple[Row, ...]
    totals: tuple[Tally, ...]
    pillars: tuple[tuple[str, Tally], ...]

    @property
    def resources(self) -> int:
        """Resources of all stacks."""
        return sum(row.resources for row in self.rows)


def summarize(review: Review) -> Summary:
    """Count what a review found."""
    ran = {assembly.name: packs_of(assembly) for assembly in review.assemblies}
    packs = _ordered(pack for known in ran.values() for pack in known)
    sheets = [sheet for assembly in review.assemblies for sheet in assembly.sheets]
    return Summary(
        packs=packs,
        rows=tuple(_row(sheet, review, packs, ran[sheet.app]) for sheet in sheets),
        totals=tuple(_tally(entry for entry in review.entries if entry.pack == pack) for pack in packs),
        pillars=tuple(
            (pillar, _tally(entry for entry in review.entries if entry.pillar == pillar)) for pillar in PILLARS
        ),
    )


def _row(sheet: Sheet, review: Review, packs: tuple[str, ...], ran: tuple[str, ...]) -> Row:
    own = [entry for entry in review.entries if (entry.place.app, entry.place.file) == (sheet.app, sheet.file)]
    return Row(
        app=sheet.app,
        stack=sheet.stack,
        key=f"{sheet.app}\n{sheet.stack}",
        resources=len(sheet.template.resources),
        cells=tuple(_tally((entry for entry in own if entry.pack == pack), ran=pack in ran) for pack in packs),
    )


def _tally(entries: Iterable[Entry], *, ran: bool = True) -> Tally:
    kinds = Counter("ack" if one.acknowledgement is not None else one.severity.value for one in entries)
    return Tally(
        errors=kinds[Severity.ERROR.value],
        warnings=kinds[Severity.WARNING.value],
        acknowledged=kinds["ack"],
        ran=ran,
    )


def _ordered(packs: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(packs), key=lambda pack: (ORDER.index(pack) if pack in ORDER else len(ORDER), pack)))
