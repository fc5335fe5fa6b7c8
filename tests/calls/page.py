"""The tables of docs/boto3-calls.md: every AWS call of the product and what it met in a test."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tests.calls import evidence, scan
from tests.calls.elsewhere import ELSEWHERE
from tests.calls.scan import ROOT, Call

PATH = ROOT / "docs" / "boto3-calls.md"
WHY = {
    "Stubber": "Stubber: moto 5.2 lacks the service",
    "added to moto": "moto and ours: moto 5.2 lacks the operation",
}


def tables(found: Mapping[str, Any]) -> dict[str, str]:
    """Return the tables by the name of their place in the page."""
    paged = scan.product().paged
    heads = ("Call", "Answered by", "Throttled", "Other error codes")
    return {
        "calls": _table(heads, [_row(row, paged) for row in found["calls"]]),
        "elsewhere": _table(("Calls of", "Calls", "Why not on moto", "Tests"), _elsewhere()),
    }


def placed(text: str, found: Mapping[str, Any]) -> str:
    """Return the page with its tables as they must be."""
    for name, table in tables(found).items():
        pattern = rf"(?s)(<!-- {name} -->\n).*?(\n<!-- end -->)"
        text = re.sub(pattern, lambda match, table=table: f"{match[1]}{table}{match[2]}", text)  # type: ignore[misc]
    return text


def answered_by(row: Mapping[str, Any]) -> str:
    """Return who answered: moto where it can, with the reason where it cannot."""
    return "moto" if "moto" in row["how"] else ", ".join(WHY[how] for how in row["how"])


def _row(row: Mapping[str, Any], paged: set[Call]) -> tuple[str, ...]:
    call = Call(file=row["file"], service=row["service"], operation=row["operation"])
    pages = "" if call not in paged else (", several pages" if row["pages"] else ", several pages not tested")
    by = "".join(f", by `{handler}`" for handler in row["handlers"])
    return (
        f"`{call.service}:{call.operation}`<br>in `{_short(call.file)}`{by}",
        f"{answered_by(row)}{pages}",
        " or ".join(_results(row, throttled=True)) or "-",
        "; ".join(_codes(row)) or "-",
    )


def _results(row: Mapping[str, Any], *, throttled: bool) -> list[str]:
    found = {error["result"] for error in row["errors"] if error["throttled"] is throttled and error["result"]}
    return sorted(found, key=lambda result: (result != "retried", result))


def _codes(row: Mapping[str, Any]) -> list[str]:
    """Return each code with what became of it; codes that moto gave by itself stand without."""
    codes: dict[str, set[str]] = {}
    for error in row["errors"]:
        if not error["throttled"]:
            codes.setdefault(error["code"], set()).update({error["result"]} - {None})
    return [f"`{code}`: {' or '.join(sorted(results))}" if results else f"`{code}`" for code, results in codes.items()]


def _short(file: str) -> str:
    return file.removeprefix("lambda_src/").removeprefix("constructs/cdk_ml_lens/")


def _elsewhere() -> list[tuple[str, ...]]:
    calls = scan.product().calls
    return [
        (
            ", ".join(f"`{_short(file)}`" for file in entry.files),
            str(sum(entry.covers(call) for call in calls)),
            entry.reason,
            ", ".join(f"`{test.removeprefix('tests/local/')}`" for test in entry.tests),
        )
        for entry in ELSEWHERE
    ]


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":  # PYTHONPATH=.:lambda_src python -m tests.calls.page
    PATH.write_text(placed(PATH.read_text(encoding="utf-8"), evidence.read()), encoding="utf-8")
