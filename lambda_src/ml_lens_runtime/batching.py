"""Cutting lists into requests that keep a service's limits of count and bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def cut(items: Iterable[T], *, most: int, size: Callable[[T], int], most_bytes: int) -> Iterator[list[T]]:
    """Yield consecutive parts of at most `most` items and `most_bytes` bytes; a larger item goes alone."""
    part: list[T] = []
    total = 0
    for item in items:
        weight = size(item)
        if part and (len(part) == most or total + weight > most_bytes):
            yield part
            part, total = [], 0
        part.append(item)
        total += weight
    if part:
        yield part
