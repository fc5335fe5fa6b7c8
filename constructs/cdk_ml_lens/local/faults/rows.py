"""The result of a fault: its row, the printed table, the file of evidence, the table of the docs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

TIER = "laptop cloud"
COLUMNS = ("tier", "fault", "sent", "scored", "dead_lettered", "duplicates_suppressed", "repeated", "lost", "seconds")


@dataclass(frozen=True, kw_only=True)
class Row:
    """What became of the readings of one fault.

    Parameters
    ----------
    fault, what
        Name, and what was done.
    sent
        Different readings.
    scored, dead_lettered
        Readings with a prediction record; readings in the dead-letter queue without one.
    duplicates_suppressed
        Messages beyond the first of a reading that changed nothing.
    repeated
        Prediction records or dead letters under the id of an earlier one: a function died between an effect and its
        note in the ledger. Whoever reads by id counts one.
    lost, doubled
        Readings that ended nowhere; readings that were scored and dead-lettered, or that nobody sent.
    seconds
        Duration.
    tier
        Where it ran.
    """

    fault: str
    sent: int
    scored: int
    dead_lettered: int
    duplicates_suppressed: int
    repeated: int
    lost: int
    doubled: int
    seconds: float
    what: str
    tier: str = TIER

    @property
    def closes(self) -> bool:
        """Tell whether every reading ended exactly once."""
        return self.scored + self.dead_lettered == self.sent and self.lost == self.doubled == 0


def table(rows: Sequence[Row]) -> Table:
    """Return the rows as they are printed."""
    made = Table(title="faults")
    for name in COLUMNS[1:]:
        made.add_column(name.replace("_", " "), justify="left" if name == "fault" else "right")
    for row in rows:
        cells = asdict(row)
        made.add_row(*(str(cells[name]) for name in COLUMNS[1:]), style="" if row.closes else "bold red")
    return made


def write(path: Path, rows: Sequence[Row]) -> None:
    """Replace the rows of this tier in a file of evidence; the other tier's stay."""
    known: list[dict[str, Any]] = json.loads(path.read_text())["rows"] if path.exists() else []
    kept = [row for row in known if row["tier"] != TIER]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"rows": [*kept, *map(asdict, rows)]}, indent=1) + "\n")


def refresh(page: Path, evidence: Path) -> None:
    """Put the rows of a file of evidence in the place of the first table of a page."""
    before, head, rest = page.read_text().partition("| tier | fault |")
    lines = rest.splitlines(keepends=True)
    after = next((number for number, line in enumerate(lines) if number and not line.startswith("|")), len(lines))
    if head:
        page.write_text(before + markdown(json.loads(evidence.read_text())) + "".join(lines[after:]))


def markdown(document: dict[str, Any]) -> str:
    """Return the rows of a file of evidence as a table of Markdown."""
    heads = [name.replace("_", " ") for name in COLUMNS]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * 2}{'---:|' * (len(heads) - 2)}"]
    for row in document["rows"]:
        cells = [f"{row[name]:,}" if isinstance(row[name], int) else str(row[name]) for name in COLUMNS]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
