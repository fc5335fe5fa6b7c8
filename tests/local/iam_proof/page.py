"""The tables of docs/iam-proof.md: kinds of roles by the evidence, and the list of what is not proven."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tests.local.iam_proof import evidence
from tests.local.iam_proof.allowed import ALLOWED, WITHOUT_RESOURCE
from tests.local.iam_proof.catalog import ROOT

PATH = ROOT / "docs" / "iam-proof.md"


def tables(found: Mapping[str, Any]) -> dict[str, str]:
    """Return the tables by the name of their place in the page."""
    return {
        "kinds": _table(("Kind of role", "Roles", "Rights proven", "Rights allowed"), _kinds(found)),
        "allowed": _table(("Action", "Resource", "Kinds of roles", "Why it is not proven"), _allowed()),
        "unscoped": ", ".join(f"`{action}`" for action in sorted(WITHOUT_RESOURCE)),
    }


def placed(text: str, found: Mapping[str, Any]) -> str:
    """Return the page with its tables as they must be."""
    for name, table in tables(found).items():
        pattern = rf"(?s)(<!-- {name} -->\n).*?(\n<!-- end -->)"
        text = re.sub(pattern, lambda match, table=table: f"{match[1]}{table}{match[2]}", text)  # type: ignore[misc]
    return text


def _kinds(found: Mapping[str, Any]) -> list[tuple[str, ...]]:
    rows = []
    for kind in sorted({role["kind"] for role in found["roles"]}):
        roles = [role for role in found["roles"] if role["kind"] == kind]
        rights = {
            (row["action"], row["resource"], row["outcome"]) for role in roles for row in role["proofs"]
        }  # fmt: skip
        counts = [sum(outcome == wanted for *_, outcome in rights) for wanted in ("proven", "allowed")]
        rows.append((kind, str(len(roles)), *map(str, counts)))
    return rows


def _allowed() -> list[tuple[str, ...]]:
    """Return a row for each reason, with the actions and kinds that it holds for."""
    rows: dict[str, list[list[str]]] = {}
    for entry in ALLOWED:
        columns = rows.setdefault(entry.reason, [[], [], []])
        for column, value in zip(columns, (entry.action, entry.resource, entry.kind), strict=True):
            if value not in column:
                column.append(value)
    return [(*(_codes(column) for column in columns), _linked(reason)) for reason, columns in rows.items()]


def _codes(values: list[str]) -> str:
    return "all" if values == ["*"] else ", ".join(f"`{value}`" for value in values)


def _linked(reason: str) -> str:
    return re.sub(r"(https://\S+)", r"[source](\1)", reason)


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    PATH.write_text(placed(PATH.read_text(encoding="utf-8"), evidence.read()), encoding="utf-8")
