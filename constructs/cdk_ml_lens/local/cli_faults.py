"""Deploy the flagship on a laptop cloud, let every fault happen, and account for each reading."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cdk_ml_lens.local.demo_accounts import Accounts
from cdk_ml_lens.local.faults import NAMES, rows, run

READINGS = 10_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--readings", type=int, default=READINGS, help=f"readings per fault (default: {READINGS})")
    parser.add_argument("--only", action="append", choices=NAMES, help="one fault (default: all)")
    parser.add_argument("--app", type=Path, default=Path.cwd(), help="folder of the app (default: this folder)")
    parser.add_argument("--write", type=Path, help="write the rows into this file of evidence")
    parser.add_argument("--page", type=Path, help="bring the table of this page up to date with --write")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON, the rest on standard error")


def main(options: argparse.Namespace) -> int:
    """Run the suite; the exit code is 1 when accounts stay open.

    Raises
    ------
    ValueError
        When there are too few readings to share out.
    """
    if options.readings < 50:
        raise ValueError(f"readings must be at least 50, got {options.readings}")
    console = Console(stderr=options.json, highlight=False)
    found = _run(options, console)
    console.print(rows.table(found))
    if options.json:
        print(json.dumps({"rows": [asdict(row) for row in found]}))
    closed = all(row.closes for row in found)
    if options.write is not None and closed:
        rows.write(options.write, found)
    if options.page is not None and options.write is not None and closed:
        rows.refresh(options.page, options.write)
    return 0 if closed else 1


def _run(options: argparse.Namespace, console: Console) -> list[rows.Row]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    found: list[rows.Row] = []
    with Progress(*columns, console=console) as shown:
        task = shown.add_task("", total=options.readings)

        def draw(fault: str, accounts: Accounts) -> None:
            ended = len(accounts.predictions) + len(accounts.dead)
            shown.update(task, description=fault, completed=ended)

        names = NAMES if options.only is None else options.only
        for row in run(
            count=options.readings, app_dir=options.app, only=names, step=shown.console.print, progress=draw
        ):
            found.append(row)
            state = "closed" if row.closes else "[bold red]open[/]"
            shown.console.print(f"  {state}: {row.scored} scored, {row.dead_lettered} dead-lettered of {row.sent}")
            shown.reset(task)
    return found
