"""The sensor feature job five times over: ours on both engines, bare Polars, pandas, Spark's own windows.

Each side reads the same Parquet and writes the same seven features to Parquet. It runs in a process of its own
(``python etl_sides.py SIDE SOURCE TARGET``) and prints seconds of the job, without imports and Spark's start, and
the peak of its memory. The three rivals see no arrival times: readings in this data come in order.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ETL = Path(__file__).resolve().parent.parent / "etl_src"
WINDOW, RATE = "300s", "3600s"
STATISTICS = ("mean", "std", "minimum", "maximum")
CORES = "local[2]"


def feature_set() -> str:
    """Return the definition: seven features of one sensor."""

    def feature(statistic: str, seconds: int, fewest: int = 1, null: float | None = None) -> dict[str, Any]:
        sensor = None if statistic == "seconds_since_last" else "x"
        shape = {"name": statistic, "sensor": sensor, "statistic": statistic, "window_seconds": seconds}
        return {**shape, "minimum_readings": fewest, "null_value": null}

    features = [feature("value", 0), *(feature(s, 300, 2 if s == "std" else 1) for s in STATISTICS)]
    features += [feature("rate", 3600, null=0.0), feature("seconds_since_last", 3600, null=3600.0)]
    document = {
        "version": 1,
        "sensors": [{"name": "x", "minimum": None, "maximum": None, "factor": 1.0, "offset": 0.0}],
        "cleaning": {"allowed_lateness_seconds": 3600, "future_tolerance_seconds": 60, "hold_seconds": 600},
        "normalisation": {"method": "none", "per": "all"},
        "features": features,
    }
    return json.dumps(document)


def single_node(source: Path, target: Path) -> Callable[[], None]:
    """Our step on the single-node engine: snapshot, features, gate, manifest, switch."""
    return _ours("single_node", source, target)


def spark(source: Path, target: Path) -> Callable[[], None]:
    """Our step on the Spark engine, the session being there."""
    import pyspark.sql

    job = _ours("spark", source, target)
    pyspark.sql.SparkSession.builder.master(CORES).getOrCreate().range(1).count()
    return job


def _ours(engine: str, source: Path, target: Path) -> Callable[[], None]:
    sys.path.insert(0, str(ETL))
    import os

    os.environ["PYTHONPATH"] = str(ETL)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    from jobs import run_step

    given = {
        "step": "features",
        "engine": engine,
        "feature_set": feature_set(),
        "source": str(source),
        "target": str(target),
        "target_location": str(target),
        "quarantine": str(target / "_quarantine"),
    }
    arguments = [part for name, value in given.items() for part in (f"--{name}", value)]
    return lambda: void(run_step.main(arguments))


def polars(source: Path, target: Path) -> Callable[[], None]:
    """The same features in bare Polars: the whole table at once, every device by ``over``."""
    import polars as pl

    def rolled(statistic: str) -> pl.Expr:
        method = getattr(pl.col("x"), f"rolling_{statistic}_by")
        expression: pl.Expr = method("event_time", window_size=WINDOW, closed="right", min_samples=1)
        return expression.over("device_id")

    def job() -> None:
        rows = pl.read_parquet(source / "**" / "*.parquet", hive_partitioning=False)  # in order
        time_ = pl.col("event_time")
        first = rows.select("device_id", then=time_, before=pl.col("x"))
        start = rows.with_columns(start=time_ - pl.duration(seconds=3600))
        known = start.join_asof(
            first, left_on="start", right_on="then", by="device_id", strategy="forward", check_sortedness=False
        )
        hours = (time_ - pl.col("then")).dt.total_milliseconds() / 3_600_000
        since = (time_ - time_.shift(1).over("device_id")).dt.total_milliseconds() / 1000
        earlier = pl.col("then") < time_
        features = known.select(
            "device_id",
            "reading_id",
            "event_time",
            "received_at",
            pl.col("x").alias("value"),
            rolled("mean").alias("mean"),
            rolled("std").alias("std"),
            rolled("min").alias("minimum"),
            rolled("max").alias("maximum"),
            pl.when(earlier).then((pl.col("x") - pl.col("before")) / hours).otherwise(0.0).alias("rate"),
            pl.when(since <= 3600).then(since).otherwise(3600.0).alias("seconds_since_last"),
        )
        target.mkdir(parents=True)
        features.write_parquet(target / "part.parquet", compression="zstd", compression_level=1)

    return job


def pandas(source: Path, target: Path) -> Callable[[], None]:
    """The same features in pandas: ``groupby`` and ``rolling``."""
    import numpy as np
    import pandas as pd

    def of_device(rows: Any) -> Any:
        rows = rows.sort_values("event_time")
        window = rows.rolling(WINDOW, on="event_time", closed="right")["x"]
        features = rows[["device_id", "reading_id", "event_time", "received_at"]].copy()
        features["value"] = rows["x"]
        for name, found in (("mean", window.mean()), ("std", window.std())):
            features[name] = found
        features["minimum"], features["maximum"] = window.min(), window.max()
        at = rows["event_time"].to_numpy(dtype="datetime64[ms]")
        first = np.searchsorted(at, at - np.timedelta64(3600, "s"), side="left")
        hours = (at - at[first]) / np.timedelta64(1, "h")
        x = rows["x"].to_numpy()
        features["rate"] = np.where(hours > 0, (x - x[first]) / np.where(hours > 0, hours, 1.0), 0.0)
        since = rows["event_time"].diff().dt.total_seconds()
        features["seconds_since_last"] = since.where(since <= 3600, 3600.0)
        return features

    def job() -> None:
        rows = pd.concat([pd.read_parquet(file) for file in sorted(source.rglob("*.parquet"))])
        features = pd.concat([of_device(each) for _, each in rows.groupby("device_id", sort=False)])
        target.mkdir(parents=True)
        features.to_parquet(target / "part.parquet", compression="zstd")

    return job


def spark_windows(source: Path, target: Path) -> Callable[[], None]:
    """The same features in Spark's built-in ``rangeBetween`` windows, the session being there."""
    from pyspark.sql import SparkSession, Window
    from pyspark.sql import functions as f

    session = SparkSession.builder.master(CORES).config("spark.driver.memory", "8g").getOrCreate()
    session.range(1).count()

    def job() -> None:
        rows = session.read.option("recursiveFileLookup", "true").parquet(str(source))
        seconds = (f.unix_millis("event_time")).alias("ms")
        rows = rows.withColumn("ms", seconds)
        by_time = Window.partitionBy("device_id").orderBy("ms")
        last = by_time.rangeBetween(-299_999, 0)
        hour = by_time.rangeBetween(-3_600_000, -1)
        hours = (f.col("ms") - f.first("ms").over(hour)) / 3_600_000
        since = (f.col("ms") - f.lag("ms").over(by_time)) / 1000
        features = rows.select(
            "device_id",
            "reading_id",
            "event_time",
            "received_at",
            f.col("x").alias("value"),
            f.mean("x").over(last).alias("mean"),
            f.stddev_samp("x").over(last).alias("std"),
            f.min("x").over(last).alias("minimum"),
            f.max("x").over(last).alias("maximum"),
            f.coalesce((f.col("x") - f.first("x").over(hour)) / hours, f.lit(0.0)).alias("rate"),
            f.when(since <= 3600, since).otherwise(3600.0).alias("seconds_since_last"),
        )
        features.write.parquet(str(target))

    return job


def void(_: object) -> None:
    """Drop the account."""


SIDES = {side.__name__: side for side in (single_node, spark, polars, pandas, spark_windows)}


def main() -> None:
    """Run one side and print what it took."""
    side, source, target = sys.argv[1:]
    job = SIDES[side](Path(source), Path(target))
    start = time.perf_counter()
    job()
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux tells kilobytes
    print(json.dumps({"seconds": seconds, "peak_mb": peak}))


if __name__ == "__main__":
    main()
