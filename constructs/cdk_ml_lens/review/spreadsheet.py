"""The review as CSV: one row per finding, for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from cdk_ml_lens.review.entries import Entry

COLUMNS = (
    "app", "stack", "construct", "logical_id", "type", "template", "line", "pack", "rule", "detail", "severity",
    "pillar", "practices", "status", "finding", "reason", "acknowledged_at", "source", "fix", "fingerprint",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def render(entries: Iterable[Entry]) -> str:
    """Return the text of the file.

    Notes
    -----
    A cell that a spreadsheet would run as a formula starts with an apostrophe:
    https://owasp.org/www-community/attacks/CSV_Injection.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_inert(cell) for cell in _row(entry)] for entry in entries)
    return buffer.getvalue()


def _row(entry: Entry) -> tuple[str, ...]:
    place, given = entry.place, entry.acknowledgement
    words = ("open", "", "", "") if given is None else ("acknowledged", given.reason, given.at, given.line or "")
    return (
        place.app, place.stack, place.path, place.logical_id, place.type, place.file, str(place.line),
        entry.pack, entry.rule, entry.detail or "", entry.severity.value, entry.pillar, " ".join(entry.practices),
        words[0], entry.text, *words[1:], entry.fix, entry.fingerprint,
    )  # fmt: skip


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
