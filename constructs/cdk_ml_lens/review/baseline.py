"""The committed state of a review, and what changed since: new, known and fixed findings, and new reasons."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cdk_ml_lens.review.entries import Entry

VERSION = 1


class BaselineError(ValueError):
    """The file is no baseline of ours."""


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """What a review found when it was last accepted.

    Parameters
    ----------
    open : mapping of str to str
        Open findings: what they were, by fingerprint.
    acknowledged : mapping of str to int
        Acknowledged findings, by pack.
    reasons : frozenset of str
        Kinds of the acknowledgements (`cdk_ml_lens.review.entries.Entry.kind`).
    """

    open: Mapping[str, str]
    acknowledged: Mapping[str, int]
    reasons: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Trend:
    """A review held against a baseline.

    Parameters
    ----------
    before : Baseline
    new, known : tuple of Entry
        Open findings that the baseline does not have, and has.
    fixed : tuple of str
        Findings of the baseline that are gone, or acknowledged by now.
    reasons : frozenset of str
        Kinds of acknowledgements that the baseline does not have.
    """

    before: Baseline
    new: tuple[Entry, ...]
    known: tuple[Entry, ...]
    fixed: tuple[str, ...]
    reasons: frozenset[str]


def of(entries: Sequence[Entry]) -> Baseline:
    """Return the baseline that a review would leave."""
    given = [entry for entry in entries if entry.acknowledgement is not None]
    return Baseline(
        open={entry.fingerprint: _what(entry) for entry in entries if entry.acknowledgement is None},
        acknowledged=dict(sorted(Counter(entry.pack for entry in given).items())),
        reasons=frozenset(entry.kind for entry in given),
    )


def compare(entries: Sequence[Entry], before: Baseline) -> Trend:
    """Hold a review against an earlier one."""
    now = of(entries)
    open_now = [entry for entry in entries if entry.acknowledgement is None]
    return Trend(
        before=before,
        new=tuple(entry for entry in open_now if entry.fingerprint not in before.open),
        known=tuple(entry for entry in open_now if entry.fingerprint in before.open),
        fixed=tuple(what for fingerprint, what in before.open.items() if fingerprint not in now.open),
        reasons=now.reasons - before.reasons,
    )


def read(path: Path) -> Baseline:
    """Read a baseline.

    Raises
    ------
    BaselineError
        If the file is missing or is none.
    """
    if not path.exists():
        raise BaselineError(f"--baseline must be a file, got {path}; write it first with --write-baseline {path}")
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
        if document["version"] != VERSION:
            raise BaselineError(f"--baseline must be of version {VERSION}, got {document['version']}")
        return Baseline(
            open=dict(document["open"]),
            acknowledged=dict(document["acknowledged"]),
            reasons=frozenset(document["reasons"]),
        )
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise BaselineError(f"--baseline must be what --write-baseline wrote, got {path}: {error}") from error


def write(path: Path, baseline: Baseline) -> None:
    """Write a baseline: one line per finding and reason, so that a diff shows what was accepted."""
    document = {
        "version": VERSION,
        "open": dict(sorted(baseline.open.items())),
        "acknowledged": baseline.acknowledged,
        "reasons": sorted(baseline.reasons),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{json.dumps(document, indent=1)}\n", encoding="utf-8")


def _what(entry: Entry) -> str:
    return f"{entry.place.app}: {entry.name} at {entry.place.path}"
