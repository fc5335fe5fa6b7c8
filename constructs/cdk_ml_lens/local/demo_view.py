"""What the demo shows: a line per step, a live table while readings stream, and the summary."""

from __future__ import annotations

import json
import time
from dataclasses import asdict

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cdk_ml_lens.local.demo_accounts import Accounts
from cdk_ml_lens.local.demo_summary import Summary, percentile

REFRESH_SECONDS = 0.5


class View:
    """Writes to a terminal, or plain lines where there is none.

    Parameters
    ----------
    as_json
        Keep standard output for the one JSON object; everything else goes to standard error.
    """

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self.console = Console(stderr=as_json, highlight=False)
        self._start = time.monotonic()
        self._drawn = 0.0

    def step(self, text: str) -> None:
        """Say what has begun or ended, with the seconds since the start."""
        self.console.print(f"[dim]{time.monotonic() - self._start:5.1f} s[/]  {text}")

    def live(self) -> Live:
        """Return the place of the live table; use it as a context."""
        return Live(console=self.console, auto_refresh=False, transient=True)

    def draw(self, live: Live, accounts: Accounts, *, final: bool = False) -> None:
        """Bring the live table up to date, twice a second at most."""
        now = time.monotonic()
        if self.console.is_terminal and (final or now - self._drawn >= REFRESH_SECONDS):
            self._drawn = now
            live.update(_table(accounts), refresh=True)

    def summary(self, summary: Summary) -> None:
        """Show the result: the table, or the JSON object on standard output."""
        if self._as_json:
            print(json.dumps(asdict(summary), allow_nan=False), flush=True)
        else:
            self.console.print(Group(_figures(summary), _windows(summary)))
        for fault in summary.faults:
            self.fail(fault)

    def fail(self, text: str) -> None:
        """Say why the demo failed."""
        self.console.print("[bold red]failed:[/]", Text(text))


def _table(accounts: Accounts) -> Table:
    anomalies = accounts.anomalies
    waits = sorted(1000 * seconds for seconds in list(accounts.latencies.values()))
    table = Table(title=accounts.plan.title)
    for name in ("published", "acknowledged", "scored", "quarantined", "under way", "anomalies", "alerts", "median"):
        table.add_column(name, justify="right")
    median = percentile(waits, 0.5)
    cells = (
        f"{accounts.publications}/{len(accounts.plan.outgoing)}",
        accounts.acknowledged,
        len(accounts.predictions),
        len(accounts.dead),
        len(accounts.lost),
        len(anomalies),
        len(accounts.latencies),
        "-" if median is None else f"{median:.0f} ms",
    )
    table.add_row(*map(str, cells))
    return table


def _figures(summary: Summary) -> Table:
    table = Table(title=summary.title, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    reasons = ", ".join(f"{count} {reason}" for reason, count in summary.reasons.items())
    rows = {
        "rows the model learnt from": str(summary.training_rows),
        "sent": f"{summary.sent} by {summary.devices} device(s), {summary.resent} of them twice",
        "scored": str(summary.scored),
        "quarantined": f"{summary.quarantined} ({reasons})" if reasons else "0",
        "lost": str(summary.lost),
        "duplicates": str(summary.duplicates),
        "anomalies": str(summary.anomalies),
        "  outside labelled windows": _rate(summary.anomalies_outside_windows, summary.readings_outside_windows),
        "labelled windows with an alert": f"{summary.windows_hit} of {summary.windows_total}",
        "alerts on the devices' own topics": str(summary.alerts),
        "publish to alert, median / p99": f"{summary.p50_ms} / {summary.p99_ms} ms",
        "model": str(summary.model_version),
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def _windows(summary: Summary) -> Table:
    table = Table(title="labelled windows")
    table.add_column("window")
    table.add_column("anomalies", justify="right")
    table.add_column("at the rate outside", justify="right")
    for window in summary.windows:
        chance = "-" if window.expected is None else f"{window.expected:.1f}"
        table.add_row(window.label, _rate(window.anomalies, window.readings), chance)
    return table


def _rate(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole:.1%})" if whole else "0 of 0"
