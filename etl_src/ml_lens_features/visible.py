"""Which earlier readings a reading could know: those before it in event time that had also arrived before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

OWN = "_own"  # the position of the reading whose window it is
_PAIRS_PER_CHUNK = 4_000_000  # bounds the memory of the exact path


def outrun(rows: pl.DataFrame, seconds: int) -> pl.Series:
    """Return for each row whether a reading in the ``seconds`` before it arrived only after it.

    Rows that are not outrun see everything before them, so sliding windows are right for them as they are.
    """
    latest = pl.col("received_at").rolling_max_by("event_time", window_size=f"{max(seconds, 1)}s", closed="both")
    return rows.select((latest > pl.col("received_at")).alias("outrun")).to_series()


def window_of(
    rows: pl.DataFrame, positions: pl.Series, *, seconds: int, with_itself: bool, columns: Sequence[str]
) -> Iterator[pl.DataFrame]:
    """Yield every pair of a reading at one of ``positions`` and a reading visible to it, in event order.

    The window is ``(t - seconds, t]`` with the reading itself and ``[t - seconds, t)`` without.
    A chunk holds whole windows: ``columns`` of the seen reading, and its owner's position as ``_own``.
    """
    times = rows["event_time"]
    own = times.gather(positions)
    first = times.search_sorted(own - pl.duration(seconds=seconds), side="right" if with_itself else "left")
    spans = pl.DataFrame({OWN: positions.cast(pl.UInt32), "first": first.cast(pl.UInt32)}).with_columns(
        rows["received_at"].gather(positions).alias("arrived"), end=pl.col(OWN) + int(with_itself)
    )
    pairs_before = (pl.col("end") - pl.col("first")).cast(pl.Int64).cum_sum()
    spans = spans.with_columns(chunk=pairs_before // _PAIRS_PER_CHUNK)
    for (_,), chunk in spans.group_by("chunk", maintain_order=True):
        pairs = chunk.with_columns(seen=pl.int_ranges("first", "end", dtype=pl.UInt32)).explode("seen")
        pairs = pairs.filter(pl.col("seen").is_not_null())
        seen = rows.select("received_at", *columns)[pairs["seen"]]
        joined = pl.concat([pairs.select(OWN, "arrived"), seen], how="horizontal")
        yield joined.filter(pl.col("received_at") <= pl.col("arrived")).drop("arrived", "received_at")
