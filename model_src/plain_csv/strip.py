"""Keep the features of a dataset's CSV files, without a header: what built-in algorithms read."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

SPLITS = ("train", "validation", "test")
NOT_FEATURES = frozenset({"timestamp", "device_id", "reading_id"})


class NoRowsError(ValueError):
    """A split holds no row."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Strip every file of every split; the exit code is 1, with the reason, when a split is empty."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("/opt/ml"), help="what the container has as /opt/ml")
    processing = parser.parse_args(arguments).root / "processing"
    try:
        for split in SPLITS:
            rows = sum(strip(path, processing / "output" / split) for path in _files(processing / "input" / split))
            if rows == 0:
                raise NoRowsError(f"the split {split} must hold at least one row")
            print(f"{split}: {rows} rows")
    except NoRowsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def strip(path: Path, folder: Path) -> int:
    """Write the features of one file below ``folder`` and return the number of rows."""
    folder.mkdir(parents=True, exist_ok=True)
    with path.open(encoding="utf-8-sig", newline="") as source, (folder / path.name).open("w", newline="") as target:
        rows, writer = csv.reader(source), csv.writer(target, lineterminator="\n")
        header = next(rows, [])
        kept = [place for place, name in enumerate(header) if name not in NOT_FEATURES]
        count = 0
        for row in rows:
            writer.writerow([row[place] for place in kept])
            count += 1
    return count


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.csv"))


if __name__ == "__main__":
    sys.exit(main())
