"""What a device sends: one reading, its bytes on the wire, and a training file made of readings."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One reading of one device.

    Parameters
    ----------
    device_id
        Name of the device, which is also the name of its IoT thing.
    index
        Position in the device's own series, from 0.
    timestamp
        ISO 8601 instant in UTC, ending in ``Z``.
    features
        Feature name to value. ``None`` or text is what a broken sensor sent: the scorer quarantines it.
    """

    device_id: str
    index: int
    timestamp: str
    features: Mapping[str, float | str | None]

    @property
    def reading_id(self) -> str:
        """Return the id that is unique per device."""
        return f"r{self.index:06d}"

    def body(self) -> bytes:
        """Return the JSON object that the device publishes."""
        document = {"reading_id": self.reading_id, "timestamp": self.timestamp, **self.features}
        return json.dumps(document, separators=(",", ":")).encode()


def write_csv(path: Path, readings: Iterable[Reading], *, features: Sequence[str]) -> Path:
    """Write timestamp and features of each reading as a CSV file with a header, ready for ``train.py``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["timestamp", *features])
        for reading in readings:
            writer.writerow([reading.timestamp, *(reading.features[name] for name in features)])
    return path
