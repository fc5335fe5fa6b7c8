"""Review a CDK cloud assembly: our rules, the packs it was checked by, and every acknowledgement, in one report."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from cdk_ml_lens.review import assembly, baseline, outputs
from cdk_ml_lens.review.entries import Entry
from cdk_ml_lens.review.review import Review, review
from cdk_ml_lens.review.rule import Severity

EXIT_FOUND = 1
SHOWN = 20


def add_arguments(own: argparse.ArgumentParser) -> None:
    """Declare the options of ``ml-lens review``."""
    own.add_argument("cdk_out", metavar="CDK_OUT", type=Path, help="folder that `cdk synth` wrote, of any CDK app")
    own.add_argument("--out", type=Path, default=Path("review"), help="folder of the report (default: review)")
    own.add_argument(
        "--format", action="append", choices=outputs.FORMATS, help="what to write; repeat it (default: all three)"
    )
    own.add_argument("--open-only", action="store_true", help="leave acknowledged findings out of the SARIF file")
    own.add_argument("--title", help="heading of the page (default: name of the folder)")
    own.add_argument(
        "--evidence", type=Path, metavar="DIR", help="folder with iam.json and faults.json (default: none)"
    )
    own.add_argument("--baseline", type=Path, metavar="FILE", help="earlier state: only findings that it lacks fail")
    own.add_argument("--write-baseline", type=Path, metavar="FILE", help="accept what is found: write it to FILE")
    own.add_argument(
        "--fail-on",
        choices=("error", "warning", "never"),
        default="error",
        help="exit code 1 from here up (default: error)",
    )


def main(options: argparse.Namespace) -> int:
    """Write the report and return the exit code: 1 if findings are open that should not be.

    Parameters
    ----------
    options
        See `add_arguments`.

    Raises
    ------
    AssemblyError
        If ``CDK_OUT`` is no cloud assembly.
    BaselineError
        If ``--baseline`` is no baseline.
    """
    folder: Path = options.cdk_out
    before = None if options.baseline is None else baseline.read(options.baseline)
    read = assembly.read(folder, name=folder.resolve().name)
    title = read.name if options.title is None else options.title
    made = review([read], title=title, before=before, evidence_in=options.evidence)
    formats = outputs.FORMATS if options.format is None else tuple(dict.fromkeys(options.format))
    written = outputs.write(made, options.out, formats=formats, open_only=options.open_only)
    if options.write_baseline is not None:
        baseline.write(options.write_baseline, baseline.of(made.entries))
    _print(made, written)
    return EXIT_FOUND if _failing(made, options.fail_on) else 0


def _failing(made: Review, level: str) -> list[Entry]:
    """Return the open findings that fail the command: with a baseline, only those that it lacks."""
    found = made.open if made.trend is None else made.trend.new
    severities = {"error": (Severity.ERROR,), "warning": tuple(Severity), "never": ()}[level]
    return [entry for entry in found if entry.severity in severities]


def _print(made: Review, written: Sequence[Path]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console()
    for entry in made.open[:SHOWN]:
        style = "red" if entry.severity is Severity.ERROR else "yellow"
        place = entry.place
        console.print(Text.assemble((entry.name, style), f" {place.path} ({place.file}:{place.line})"), soft_wrap=True)
        console.print(Text(f"  {entry.text}"), soft_wrap=True)
    if len(made.open) > SHOWN:
        console.print(f"… and {len(made.open) - SHOWN} more")
    if made.trend is not None:
        trend = made.trend
        console.print(f"since the baseline: {len(trend.new)} new, {len(trend.known)} known, {len(trend.fixed)} fixed")
    console.print(made.verdict, highlight=False)
    for path in written:
        console.print(f"wrote {path}", highlight=False, soft_wrap=True)
