"""Reads what tests proved: IAM statements that are needed, and faults that were survived."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROVEN, ALLOWED = "proven", "allowed"


@dataclass(frozen=True, kw_only=True)
class Proof:
    """One action of a role, and how its need is shown.

    Parameters
    ----------
    action, resource : str
    outcome : str
        ``proven``: without it the named test fails. ``allowed``: no emulator can show it, for ``reason``. All else
        is unproven.
    test, reason, error : str
        Empty where they do not apply.
    """

    action: str
    resource: str
    outcome: str
    test: str
    reason: str
    error: str


@dataclass(frozen=True, kw_only=True)
class Role:
    """A role and the proofs of what it may do.

    Parameters
    ----------
    name, kind, setting, service : str
        Role, what runs as it, the stack or example it was taken from, and who may take it on.
    statements : int
        Statements of its policies.
    proofs : tuple of Proof
    """

    name: str
    kind: str
    setting: str
    service: str
    statements: int
    proofs: tuple[Proof, ...]

    @property
    def proven(self) -> int:
        """Actions that a test needs."""
        return sum(proof.outcome == PROVEN for proof in self.proofs)

    @property
    def allowed(self) -> int:
        """Actions on the list of what no emulator can show."""
        return sum(proof.outcome == ALLOWED for proof in self.proofs)

    @property
    def unproven(self) -> int:
        """Actions that nothing shows the need of."""
        return len(self.proofs) - self.proven - self.allowed


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault that was injected, and where every reading went.

    Parameters
    ----------
    name, tier, what : str
    sent, scored, dead_lettered, suppressed, lost : int
        Readings. ``suppressed`` are duplicates that were not scored again.
    """

    name: str
    tier: str
    what: str
    sent: int
    scored: int
    dead_lettered: int
    suppressed: int
    lost: int

    @property
    def closes(self) -> bool:
        """Whether every reading was scored or is in the dead-letter queue."""
        return self.lost == 0


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the tests of a repository left.

    Parameters
    ----------
    roles : tuple of Role
    faults : tuple of Fault
    """

    roles: tuple[Role, ...] = ()
    faults: tuple[Fault, ...] = ()


def read(folder: Path | None) -> Evidence:
    """Read ``iam.json`` and ``faults.json``; what is not there is no evidence."""
    if folder is None:
        return Evidence()
    roles = _items(folder / "iam.json", "roles")
    faults = _items(folder / "faults.json", "rows")
    return Evidence(roles=tuple(map(_role, roles)), faults=tuple(map(_fault, faults)))


def _items(path: Path, key: str) -> list[Mapping[str, Any]]:
    return list(json.loads(path.read_text(encoding="utf-8")).get(key, [])) if path.exists() else []


def _role(item: Mapping[str, Any]) -> Role:
    return Role(
        name=str(item["role"]),
        kind=_text(item, "kind"),
        setting=_text(item, "setting"),
        service=_text(item, "service"),
        statements=len(item.get("statements", ())),
        proofs=tuple(map(_proof, item.get("proofs", ()))),
    )


def _proof(item: Mapping[str, Any]) -> Proof:
    return Proof(
        action=str(item["action"]),
        resource=_text(item, "resource"),
        outcome=str(item["outcome"]),
        test=_text(item, "test"),
        reason=_text(item, "reason"),
        error=_text(item, "error"),
    )


def _fault(item: Mapping[str, Any]) -> Fault:
    return Fault(
        name=str(item["fault"]),
        tier=_text(item, "tier"),
        what=_text(item, "what"),
        sent=int(item["sent"]),
        scored=int(item["scored"]),
        dead_lettered=int(item["dead_lettered"]),
        suppressed=int(item.get("duplicates_suppressed", 0)),
        lost=int(item["lost"]),
    )


def _text(item: Mapping[str, Any], key: str) -> str:
    return "" if item.get(key) is None else str(item[key])
