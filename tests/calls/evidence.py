"""docs/evidence/calls.json: every AWS call that the product made in a test, and what it met there."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tests.calls.recorder import Seen
from tests.calls.scan import ROOT, Call
from tests.calls.trouble import THROTTLES

PATH = ROOT / "docs" / "evidence" / "calls.json"


def document(seen: Iterable[Seen]) -> dict[str, Any]:
    """Return the evidence: one row for each call, one test for each thing that is to be shown."""
    rows: dict[Call, list[Seen]] = {}
    for one in seen:
        rows.setdefault(one.call, []).append(one)
    return {"calls": [_row(call, rows[call]) for call in sorted(rows)]}


def _row(call: Call, seen: list[Seen]) -> dict[str, Any]:
    return {
        "file": call.file,
        "service": call.service,
        "operation": call.operation,
        "handlers": sorted({one.handler for one in seen if one.handler is not None}),
        "how": sorted({one.how for one in seen}),
        "answered": _first(one.test for one in seen if one.answered),
        "pages": _first(one.test for one in seen if one.page > 1 and one.answered),
        "errors": _errors(seen),
    }


def _errors(seen: list[Seen]) -> list[dict[str, Any]]:
    """Return one test for each handler, code and result; without result: moto's own error, of which a test is about."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for one in seen:
        if one.code is not None:
            found.setdefault((one.handler or "", one.code, one.result or ""), []).append(one.test)
    return [
        {
            "handler": handler or None,
            "code": code,
            "throttled": code in THROTTLES,
            "result": result or None,
            "test": min(tests),
        }
        for (handler, code, result), tests in sorted(found.items())
    ]


def _first(tests: Iterable[str]) -> str | None:
    return min(tests, default=None)


def read() -> dict[str, Any]:
    """Return the committed evidence."""
    found: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
    return found


def write(seen: Iterable[Seen]) -> None:
    """Write the evidence anew; a run of some tests only would lose the others, so run the whole tier."""
    PATH.write_text(_text(document(seen)), encoding="utf-8")


def _text(found: dict[str, Any]) -> str:
    rows = ",\n".join(_lines(row) for row in found["calls"])
    return f'{{"calls": [\n{rows}\n]}}\n'


def _lines(row: dict[str, Any]) -> str:
    plain = {name: value for name, value in row.items() if name != "errors"}
    errors = ",\n  ".join(json.dumps(error) for error in row["errors"])
    return f'{json.dumps(plain)[:-1]},\n "errors": [\n  {errors}]}}' if errors else json.dumps(row)
