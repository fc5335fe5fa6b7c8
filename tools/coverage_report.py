"""Statement and branch coverage of each package from what `make coverage` measured; exits 1 below the goal."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import coverage
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / ".coveragerc"
DATA = ROOT / "build" / "coverage"
PACKAGES = ("lambda_src", "etl_src", "constructs/cdk_ml_lens")
LEAST_STATEMENTS, LEAST_BRANCHES = 95.0, 90.0


@dataclass(frozen=True, kw_only=True)
class Covered:
    """What ran of one package.

    Attributes
    ----------
    package : str
        Folder below the repository.
    statements, run_statements, branches, run_branches : int
        Counts over all its files, those that nothing imports included.
    """

    package: str
    statements: int
    run_statements: int
    branches: int
    run_branches: int

    def enough(self) -> bool:
        """Tell whether both goals are reached."""
        return (
            percent(self.run_statements, self.statements) >= LEAST_STATEMENTS
            and percent(self.run_branches, self.branches) >= LEAST_BRANCHES
        )


def percent(part: int, whole: int) -> float:
    """Return how much of ``whole`` is ``part``; all of nothing is 100."""
    return 100.0 * part / whole if whole else 100.0


def total(package: str, files: Mapping[str, Mapping[str, Any]]) -> Covered:
    """Add up the files of ``package``.

    Parameters
    ----------
    package
        Its folder.
    files
        Path below the repository to the entry of coverage's JSON report.
    """
    mine = [entry["summary"] for path, entry in files.items() if path.startswith(f"{package}/")]

    def added(key: str) -> int:
        return sum(int(summary[key]) for summary in mine)

    return Covered(
        package=package,
        statements=added("num_statements"),
        run_statements=added("covered_lines"),
        branches=added("num_branches"),
        run_branches=added("covered_branches"),
    )


def measured(data: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """Return coverage's JSON entries of all files of the packages, from the data files of the tiers."""
    with contextlib.chdir(ROOT), tempfile.TemporaryDirectory(prefix="ml-lens-") as scratch:
        report = coverage.Coverage(config_file=str(CONFIG), data_file=str(Path(scratch) / "all"), data_suffix=False)
        report.combine([str(path) for path in data], strict=True, keep=True)
        # A file that nothing imported is not in the data: it counts, with nothing run.
        every = [str(path) for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
        report.get_data().touch_files(every)
        report.json_report(every, outfile=str(Path(scratch) / "all.json"))
        found: dict[str, dict[str, Any]] = json.loads((Path(scratch) / "all.json").read_text())["files"]
    return found


def main() -> int:
    """Print the table and write ``build/coverage/report.json``; return 1 if a package is below the goal."""
    data = sorted(DATA.glob("*.data"))
    files = measured(data)
    (DATA / "report.json").write_text(json.dumps(files))
    found = [total(package, files) for package in PACKAGES]
    table = Table(
        "package", "statements", "branches", "goal", title=f"measured: {', '.join(path.stem for path in data)}"
    )
    for each in found:
        table.add_row(
            each.package,
            f"{percent(each.run_statements, each.statements):.1f} % of {each.statements}",
            f"{percent(each.run_branches, each.branches):.1f} % of {each.branches}",
            "reached" if each.enough() else f"missed: {LEAST_STATEMENTS:.0f} and {LEAST_BRANCHES:.0f} %",
        )
    Console().print(table)
    return 0 if all(each.enough() for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
