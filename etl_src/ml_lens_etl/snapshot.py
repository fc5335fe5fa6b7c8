"""What a run reads: the objects of each device at one moment, and one hash over all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from ml_lens_etl.store import Entry, store_of

DEVICE = "device_id="


class LayoutError(ValueError):
    """An object does not lie below a ``device_id=`` folder."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The Parquet objects below a prefix.

    Attributes
    ----------
    prefix : str
        URI that ends with a slash.
    devices : mapping of str to tuple of Entry
        By the name in ``device_id=<name>``, sorted.
    digest : str
        Changes when any object appears, goes or changes.
    """

    prefix: str
    devices: Mapping[str, tuple[Entry, ...]]
    digest: str

    @property
    def objects(self) -> int:
        """How many objects."""
        return sum(len(parts) for parts in self.devices.values())


def take(prefix: str) -> Snapshot:
    """List the objects below ``prefix``, by device.

    Folders and files that begin with ``_`` or ``.`` are not data, as Athena and Spark see it.

    Raises
    ------
    LayoutError
        When a Parquet object has no ``device_id=`` folder above it: nobody could tell whose it is without reading it.
    """
    prefix = prefix if prefix.endswith("/") else f"{prefix}/"
    devices: dict[str, list[Entry]] = {}
    digest = hashlib.sha256()
    for entry in store_of(prefix).entries(prefix):
        folders = entry.uri.removeprefix(prefix).split("/")
        if not folders[-1].endswith(".parquet") or any(name.startswith(("_", ".")) for name in folders):
            continue
        named = [name.removeprefix(DEVICE) for name in folders[:-1] if name.startswith(DEVICE)]
        if not named:
            raise LayoutError(f"{entry.uri} lies below no {DEVICE} folder of {prefix}")
        devices.setdefault(named[-1], []).append(entry)
        digest.update(f"{'/'.join(folders)}\n{entry.size}\n{entry.tag}\n".encode())
    return Snapshot(
        prefix=prefix,
        devices={name: tuple(parts) for name, parts in sorted(devices.items())},
        digest=digest.hexdigest(),
    )
