"""docs/evidence/iam.json: every role of every stack and example, and what became of each of its rights."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tests.local.iam_proof import allowed, catalog
from tests.local.iam_proof.catalog import Right, Role
from tests.local.iam_proof.outcomes import Outcome

PATH = catalog.ROOT / "docs" / "evidence" / "iam.json"
Key = tuple[str, Right]  # kind of role, right
Known = Mapping[Key, Outcome]


def known(document: Mapping[str, Any]) -> dict[Key, Outcome]:
    """Return what a document of evidence says was proven, by kind and right."""
    found: dict[Key, Outcome] = {}
    for role in document["roles"]:
        for row in role["proofs"]:
            right = Right(action=row["action"], resource=row["resource"])
            if row["outcome"] == "proven":
                found[role["kind"], right] = Outcome(
                    kind=role["kind"], right=right, outcome="proven", test=row["test"], error=row["error"]
                )
    return found


def merged(before: Known, seen: Iterable[Outcome]) -> dict[Key, Outcome]:
    """Return earlier outcomes and new ones; what is new replaces, and a test's older outcomes go with it."""
    new = [one for one in seen if one.outcome == "proven" and not one.unneeded]
    tests = {one.test for one in new}
    kept = {key: one for key, one in before.items() if one.test not in tests}
    for one in sorted(new, key=lambda one: one.test, reverse=True):
        kept[one.kind, one.right] = one  # the first test of a right is the one that is named
    return kept


def document(proven: Known) -> dict[str, Any]:
    """Return the evidence about all roles, in the order of `catalog.roles`."""
    return {"roles": [_role(role, proven) for role in catalog.roles()]}


def _role(role: Role, proven: Known) -> dict[str, Any]:
    return {
        "role": role.logical_id,
        "kind": role.kind,
        "setting": role.setting,
        "service": role.service,
        "statements": [
            {"actions": list(actions), "resource": ", ".join(resources)} for actions, resources in role.statements
        ],
        "proofs": [_proof(role.kind, right, proven) for right in role.rights],
    }


def _proof(kind: str, right: Right, proven: Known) -> dict[str, Any]:
    row: dict[str, Any] = {"action": right.action, "resource": right.resource}
    reason = allowed.reason(kind, right)
    if reason is not None:
        return {**row, "outcome": "allowed", "test": None, "reason": reason, "error": None}
    outcome = proven.get((kind, right))
    if outcome is None:
        return {**row, "outcome": "unproven", "test": None, "reason": None, "error": None}
    return {**row, "outcome": "proven", "test": outcome.test, "reason": None, "error": outcome.error}


def read() -> dict[str, Any]:
    """Return the committed evidence; no roles if there is none."""
    if not PATH.exists():
        return {"roles": []}
    found: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
    return found


def write(seen: Iterable[Outcome]) -> None:
    """Merge new outcomes into the committed evidence."""
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.write_text(_text(document(merged(known(read()), seen))), encoding="utf-8")


def _text(found: Mapping[str, Any]) -> str:
    """Return a document as JSON with one line for each statement and each proof, so that a change is easy to read."""
    roles = ",\n".join(_lines(role) for role in found["roles"])
    return f'{{"roles": [\n{roles}\n]}}\n'


def _lines(role: Mapping[str, Any]) -> str:
    plain = {name: value for name, value in role.items() if name not in ("statements", "proofs")}
    lists = (f'"{name}": [\n  {_rows(role[name])}]' for name in ("statements", "proofs"))
    return f"{_json(plain)[:-1]},\n {', '.join(lists)}}}"


def _rows(rows: Iterable[Any]) -> str:
    return ",\n  ".join(map(_json, rows))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":  # the templates changed, the proofs did not: PYTHONPATH=.:lambda_src python -m …
    write([])
