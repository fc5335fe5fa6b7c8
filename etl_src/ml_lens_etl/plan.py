"""The tasks of a run: one per device, or several spans of a device that is too large for one task."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from ml_lens_etl import parquet
from ml_lens_etl.parquet import Extent, Span
from ml_lens_etl.snapshot import Snapshot
from ml_lens_etl.store import Entry
from ml_lens_features.split import Boundaries

_FEWEST_BYTES_PER_ROW = 4  # of a compressed reading; fewer bytes than that need not be looked into


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is the same for every task of a run.

    Attributes
    ----------
    step : str
        clean, normalise or features.
    feature_set : str
        The definition, JSON.
    rules : tuple of str
        Quality rules that the output is measured for.
    output, refused : str
        URIs of the prefixes for kept rows and for quarantined ones.
    boundaries : Boundaries, optional
        Of the split; normalise and features have them.
    parameters : str, optional
        Normalisation parameters, JSON.
    """

    step: str
    feature_set: str
    rules: tuple[str, ...]
    output: str
    refused: str
    boundaries: Boundaries | None = None
    parameters: str | None = None


@dataclass(frozen=True, kw_only=True)
class Task:
    """A device, or a span of it with the context that its windows look back to."""

    work: Work
    device: str
    uris: tuple[str, ...]
    span: Span
    context: Span
    part: int
    weight: int


def tasks(
    snapshot: Snapshot, work: Work, *, overlap_seconds: int, rows_per_task: int, known: Mapping[str, Extent]
) -> list[Task]:
    """Return the tasks, the largest first, so that none is left alone at the end.

    Parameters
    ----------
    snapshot : Snapshot
        What is read.
    work : Work
        What is done.
    overlap_seconds : int
        Context before a span.
    rows_per_task : int
        A device with more rows is cut by time.
    known : mapping of str to Extent
        Extents by URI, of a table that has a manifest.
    """
    planned = [
        task
        for device, parts in snapshot.devices.items()
        for task in _of_device(device, parts, work, overlap_seconds, rows_per_task, known)
    ]
    return sorted(planned, key=lambda task: -task.weight)


def _of_device(
    device: str,
    parts: tuple[Entry, ...],
    work: Work,
    overlap_seconds: int,
    rows_per_task: int,
    known: Mapping[str, Extent],
) -> Iterator[Task]:
    weight = sum(part.size for part in parts)
    extents = _extents(parts, known) if weight > rows_per_task * _FEWEST_BYTES_PER_ROW else {}
    spans = _spans(extents, rows_per_task)
    for number, span in enumerate(spans):
        back = timedelta(seconds=overlap_seconds)
        context = Span(start=None if span.start is None else span.start - back, end=span.end)
        uris = tuple(part.uri for part in parts if part.uri not in extents or _touches(extents[part.uri], context))
        if uris:
            share = weight // len(spans)
            yield Task(work=work, device=device, uris=uris, span=span, context=context, part=number, weight=share)


def _extents(parts: tuple[Entry, ...], known: Mapping[str, Extent]) -> dict[str, Extent]:
    return {part.uri: known.get(part.uri) or parquet.extent(part.uri) for part in parts}


def _spans(extents: Mapping[str, Extent], rows_per_task: int) -> list[Span]:
    rows = sum(extent.rows for extent in extents.values())
    firsts = [extent.first for extent in extents.values() if extent.first is not None]
    lasts = [extent.last for extent in extents.values() if extent.last is not None]
    count = -(-rows // rows_per_task)
    if count <= 1 or not firsts:
        return [Span()]
    first, step = min(firsts), (max(lasts) - min(firsts)) / count
    cuts = [None, *(first + step * number for number in range(1, count)), None]
    whole = [None if cut is None else cut.replace(microsecond=cut.microsecond // 1000 * 1000) for cut in cuts]
    return [Span(start=start, end=end) for start, end in itertools.pairwise(whole)]


def _touches(extent: Extent, span: Span) -> bool:
    """An object without any time has rows of the first span only."""
    if extent.first is None or extent.last is None:
        return span.start is None
    begins = span.end is None or extent.first < span.end
    # Rows without a time belong to the first span, wherever the others of their object lie.
    return span.start is None or (begins and extent.last >= span.start)


def sha256(text: str) -> str:
    """Return the hash of a definition, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()
