"""The manifest of one version of a table: what it was made of, by which rules, and how its rows add up."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from importlib import resources
from typing import Any

from ml_lens_etl.parquet import Extent
from ml_lens_etl.request import Request
from ml_lens_etl.snapshot import Snapshot
from ml_lens_etl.steps import Account
from ml_lens_etl.store import store_of

_CODE = ("ml_lens_features", "ml_lens_etl")


class AccountError(RuntimeError):
    """The rows do not add up; nothing is published."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Written when every object of the version is in place and the gate has passed, before the table is switched.

    Attributes
    ----------
    version : str
        Hash of input, feature set, step and code, 16 hexadecimal digits.
    step, engine, source : str
        What made it, and of what.
    rows : mapping
        ``in``, ``out`` and ``quarantined`` by reason; in = out + quarantined.
    quality : sequence of mapping
        Each rule, whether it passed, and its number.
    files : sequence of mapping
        ``path`` below the version's prefix, ``rows``, ``first`` and ``last`` event time.
    feature_set_sha256 : str
        Of the definition.
    parameters : str
        Version of the normalisation parameters, empty but for normalise.
    """

    version: str
    step: str
    engine: str
    source: str
    rows: Mapping[str, Any]
    quality: Sequence[Mapping[str, Any]]
    files: Sequence[Mapping[str, Any]]
    feature_set_sha256: str
    parameters: str = ""

    @classmethod
    def read(cls, target_location: str, version: str) -> Manifest | None:
        """Return the manifest of a version, None where it was never completed."""
        body = store_of(target_location).read(f"{target_location}_versions/{version}.json")
        if body is None:
            return None
        document = json.loads(body)
        return cls(**{each.name: document[each.name] for each in fields(cls)})

    def write(self, target_location: str) -> None:
        """Write it beside the versions."""
        body = json.dumps(asdict(self), indent=1).encode()
        store_of(target_location).write(f"{target_location}_versions/{self.version}.json", body)

    @property
    def failed(self) -> list[str]:
        """The rules that did not pass."""
        return [str(verdict["rule"]) for verdict in self.quality if not verdict["passed"]]

    def complete(self, prefix: str) -> bool:
        """Return whether every object is there."""
        there = {entry.uri for entry in store_of(prefix).entries(prefix)}
        return all(f"{prefix}{file['path']}" in there for file in self.files)

    def account(self, table: str, **more: Any) -> dict[str, Any]:
        """Return what the run prints."""
        return {
            "step": self.step,
            "table": table,
            "version": self.version,
            **self.rows,
            "quality": self.quality,
            **more,
        }


def version_of(request: Request, taken: Snapshot) -> str:
    """Return the version that this request makes of this input."""
    digest = hashlib.sha256()
    for text in (request.step, request.feature_set, taken.digest, _code()):
        digest.update(text.encode() + b"\n")
    return digest.hexdigest()[:16]


def extents_of(taken: Snapshot) -> dict[str, Extent]:
    """Return the extents of a version's objects from its manifest; nothing of a folder without one."""
    location, _, last = taken.prefix.rstrip("/").rpartition("/")
    if not last.startswith("version="):
        return {}
    found = Manifest.read(f"{location}/", last.removeprefix("version="))
    files = [] if found is None else found.files
    return {
        f"{taken.prefix}{file['path']}": Extent(
            rows=file["rows"],
            first=datetime.fromisoformat(file["first"]),
            last=datetime.fromisoformat(file["last"]),
        )
        for file in files
    }


def rows_of(accounts: Sequence[Account]) -> dict[str, Any]:
    """Add the accounts up.

    Raises
    ------
    AccountError
        When rows read are not rows written plus rows quarantined.
    """
    refused: Counter[str] = Counter()
    for account in accounts:
        refused.update(account.quarantined)
    rows_in, out = sum(a.rows_in for a in accounts), sum(a.extent.rows for a in accounts)
    if rows_in != out + refused.total():
        raise AccountError(f"{rows_in} rows read, {out} written and {refused.total()} quarantined")
    return {"in": rows_in, "out": out, "quarantined": dict(sorted(refused.items()))}


def files_of(accounts: Sequence[Account], prefix: str) -> list[dict[str, Any]]:
    """Return the written objects, by name."""
    written = [(account.uri.removeprefix(prefix), account.extent) for account in accounts if account.uri is not None]
    return [
        {"path": path, "rows": extent.rows, "first": _text(extent.first), "last": _text(extent.last)}
        for path, extent in sorted(written, key=lambda each: each[0])
    ]


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="milliseconds")


def _code() -> str:
    """Return a hash of the code that makes the table, in a folder or in a zip."""
    digest = hashlib.sha256()
    for package in _CODE:
        for file in sorted(resources.files(package).iterdir(), key=lambda each: each.name):
            if file.name.endswith(".py"):
                digest.update(file.read_bytes())
    return digest.hexdigest()
