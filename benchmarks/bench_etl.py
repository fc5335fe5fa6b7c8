"""The sensor feature job: both engines against the same features in Polars, pandas and Spark's own windows."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from benchmarks import etl_sides
from cdk_ml_lens.local import venvs

SIZES = (1_000_000, 10_000_000)
LARGE = 50_000_000  # only the two engines that take it, and only with this much memory free
LARGE_NEEDS_GB = 18
DEVICES = 64
TIMES = 3  # the best of; Spark once at its large size
START = datetime(2026, 1, 1, tzinfo=UTC)


def measure() -> dict[str, float]:
    """Run every side over every size, print what each took, and return the ratios."""
    with _data() as home:
        took = {(side, rows): _took(home, side, rows) for side, rows in _plan()}
        narrow = _took(home, "single_node", SIZES[1] // 10, devices=DEVICES // 10)
    _print(took)
    seconds = {key: each["seconds"] for key, each in took.items()}
    small, large = SIZES
    ratios = {
        "etl_single_node_over_polars": seconds["single_node", large] / seconds["polars", large],
        "etl_single_node_over_pandas": seconds["single_node", large] / seconds["pandas", large],
        "etl_peak_memory_over_polars": took["single_node", large]["peak_mb"] / took["polars", large]["peak_mb"],
        "etl_peak_memory_ten_times_the_devices": took["single_node", large]["peak_mb"] / narrow["peak_mb"],
    }
    if ("spark", large) in seconds:
        ratios["etl_spark_over_spark_windows"] = seconds["spark", large] / seconds["spark_windows", large]
    for side in etl_sides.SIDES:
        if (side, large) in seconds:
            growth = math.log(seconds[side, large] / seconds[side, small]) / math.log(large / small)
            ratios[f"etl_exponent_of_{side}"] = growth
    return ratios


def _plan() -> Iterator[tuple[str, int]]:
    """Yield sides and sizes; what cannot run here is said, not silently left out."""
    sides = ["single_node", "polars", "pandas"]
    if shutil.which("java") is None:
        Console(stderr=True).print("Spark is not measured: there is no Java")
    else:
        sides += ["spark", "spark_windows"]
    for rows in SIZES:
        yield from ((side, rows) for side in sides)
    if _free_gb() >= LARGE_NEEDS_GB:
        yield from ((side, LARGE) for side in ("single_node", "polars"))
    else:
        Console(stderr=True).print(f"{LARGE:,} rows are not measured: fewer than {LARGE_NEEDS_GB} GB are free")


def _took(home: Path, side: str, rows: int, *, devices: int = DEVICES) -> dict[str, float]:
    source = _readings(home, rows, devices)
    heavy = rows > SIZES[1] or (side == "spark_windows" and rows == SIZES[1])
    runs = [_once(home, side, source) for _ in range(1 if heavy else TIMES)]
    if rows > SIZES[1] and side == "polars":
        shutil.rmtree(source)
    return {name: min(run[name] for run in runs) for name in ("seconds", "peak_mb")}


def _once(home: Path, side: str, source: Path) -> dict[str, float]:
    target = home / "out"
    python = venvs.ensure("spark") if side.startswith("spark") else Path(sys.executable)
    command = [str(python), str(Path(etl_sides.__file__)), side, str(source), str(target)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise RuntimeError(f"{side} over {source.name}: {done.stderr[-2000:]}")
    shutil.rmtree(target)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextmanager
def _data() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ml-lens-bench-") as home:
        yield Path(home)


def _readings(home: Path, rows: int, devices: int) -> Path:
    """Write each device's readings, one per 10 s, as the lake's enhanced table has them."""
    folder = home / f"{rows}-{devices}"
    if folder.exists():
        return folder
    each = rows // devices
    chance = np.random.default_rng(rows)
    times = (
        pl.Series([START]).cast(pl.Datetime("ms", "UTC")).new_from_index(0, each)
        + pl.Series(range(each)).cast(pl.Int64).cast(pl.Duration("ms")) * 10_000
    )
    for device in range(devices):
        name = f"turbine-{device:03d}"
        level = 70 + 5 * np.sin(np.arange(each) / 1375.0 + device) + chance.normal(0.0, 0.5, each)
        frame = pl.DataFrame(
            {
                "reading_id": pl.Series(range(each)).cast(pl.String),
                "device_id": [name] * each,
                "event_time": times,
                "received_at": times + timedelta(milliseconds=200),
                "x": level,
                "x_held": [False] * each,
            }
        )
        where = folder / f"device_id={name}"
        where.mkdir(parents=True)
        frame.write_parquet(where / "part-00000.parquet", compression="zstd", compression_level=1)
    return folder


def _free_gb() -> float:
    for line in Path("/proc/meminfo").read_text().splitlines() if Path("/proc/meminfo").exists() else ():
        if line.startswith("MemAvailable"):
            return int(line.split()[1]) / 1024**2
    return 0.0


def _print(took: dict[tuple[str, int], dict[str, float]]) -> None:
    table = Table(title="Sensor feature job of this run")
    for name in ("side", "rows", "seconds", "rows/s", "peak MB"):
        table.add_column(name, justify="left" if name == "side" else "right")
    for (side, rows), each in took.items():
        rate = rows / each["seconds"]
        table.add_row(side, f"{rows:,}", f"{each['seconds']:.2f}", f"{rate:,.0f}", f"{each['peak_mb']:,.0f}")
    Console().print(table)
