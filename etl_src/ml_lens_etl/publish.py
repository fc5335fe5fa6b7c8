"""The end of a run: the table becomes the new version in one step, or the whole batch goes to quarantine."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ml_lens_etl.catalog import catalog_of
from ml_lens_etl.manifest import Manifest
from ml_lens_etl.request import Request
from ml_lens_etl.store import store_of

Notify = Callable[[Mapping[str, Any]], None]


class QualityError(RuntimeError):
    """The batch was refused: it lies in quarantine, the table is what it was."""


def switch(request: Request, manifest: Manifest) -> dict[str, Any]:
    """Let the table be this version, and return the account; a second time it changes nothing.

    Normalisation parameters are the current ones from here on as well: the scorer takes them when it starts anew.
    """
    prefix = f"{request.target_location}version={manifest.version}/"
    catalog = catalog_of(request.target)
    unchanged = catalog.location(request.target) == prefix
    if not unchanged:
        catalog.publish(request.target, prefix)
    if manifest.parameters:
        store = store_of(request.artifacts)
        parameters = store.read(f"{request.artifacts}{manifest.parameters}.json")
        if parameters is not None and parameters != store.read(f"{request.artifacts}current.json"):
            store.write(f"{request.artifacts}current.json", parameters)
    return manifest.account(request.target, published=True, unchanged=unchanged)


def refuse(request: Request, manifest: Manifest, uris: Sequence[str], notify: Notify) -> QualityError:
    """Move the batch to quarantine with the rules that failed, say so on the bus, and return the error to raise."""
    prefix = f"{request.target_location}version={manifest.version}/"
    kept = f"{request.quarantine}batch/version={manifest.version}/"
    store = store_of(prefix)
    store.clear(kept)
    for uri in uris:
        store.move(uri, f"{kept}{uri.removeprefix(prefix)}")
    document = {**asdict(manifest), "failed_rules": manifest.failed}
    store.write(f"{kept}_failed.json", json.dumps(document, indent=1).encode())
    notify(
        {
            "table": request.target,
            "version": manifest.version,
            "failed_rules": manifest.failed,
            "rows": manifest.rows,
            "quarantine": kept,
        }
    )
    return QualityError(f"{request.target} keeps its version; refused {manifest.version}: {'; '.join(manifest.failed)}")
