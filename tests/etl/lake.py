"""A lake in a folder: raw readings by device and day, and runs of the job's own main over them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from jobs import run_step
from tests.etl import reference

RULES = ("RowCount >= 1", 'IsComplete "device_id"')


class Lake:
    """Four folders as zones, without a catalog service: ``_current`` files name the versions."""

    def __init__(self, home: Path, text: str) -> None:
        self.home = home
        self.text = text

    def put(self, device: str, rows: Sequence[Mapping[str, Any]], *, name: str = "a") -> None:
        """Write a device's readings to raw, an object per day of arrival."""
        frame = reference.frame([{**row, "device_id": device} for row in rows])
        for (day,), part in frame.group_by(pl.col("received_at").dt.date()):
            folder = self.home / "raw" / f"date={day}" / f"device_id={device}"
            folder.mkdir(parents=True, exist_ok=True)
            part.write_parquet(folder / f"{name}.parquet")

    def run(self, step: str, **options: str) -> dict[str, Any]:
        """Run one step as Glue would start it."""
        return run_step.main(self.arguments(step, **options))

    def arguments(self, step: str, **options: str) -> list[str]:
        """Return the arguments of a step's job."""
        source, target = {"clean": ("raw", "modelled"), "normalise": ("modelled", "enhanced")}.get(
            step, ("enhanced", "transformed")
        )
        given = {
            "step": step,
            "feature_set": self.text,
            "source": str(self.home / source),
            "target": str(self.home / target),
            "target_location": str(self.home / target),
            "quarantine": str(self.home / "quarantine" / target),
            "artifacts": str(self.home / "artifacts"),
            "quality": json.dumps(RULES),
            **options,
        }
        return ["--JOB_NAME", "job", *(part for name, value in given.items() for part in (f"--{name}", value))]

    def pipeline(self, **options: str) -> list[dict[str, Any]]:
        """Run all three steps."""
        return [self.run(step, **options) for step in ("clean", "normalise", "features")]

    def table(self, name: str) -> pl.DataFrame:
        """Return what is published, by device and time; an empty frame for nothing."""
        current = self.home / name / "_current"
        if not current.exists():
            return pl.DataFrame()
        files = sorted(Path(current.read_text()).rglob("*.parquet"))
        return pl.concat([pl.read_parquet(file, hive_partitioning=False) for file in files]).sort(
            "device_id", "event_time"
        )
