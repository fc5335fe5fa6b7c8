"""Strategies: JSON of any shape, valid documents with a few edits, and bytes that are meant to be JSON."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import logging
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

COUNT = 10_000
BATCH = 40
NASTY: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 3, 10**400, -(10**30), 1e308, 1e-300, -0.0, 5e-324, float("nan"), float("inf"),
    float("-inf"), "", " ", "x", "\ud800", "\x00", "é" * 200, "x" * 5000, "NaN", "null", "../..", "s3://x/y", "s3://",
    "{}", "[]", "1", "2026-11-21T00:00:00Z", "arn:aws:x", "%", "=", {}, [], [[]], {"": None}, ["x"] * 50,
)  # fmt: skip

_scalars = st.one_of(st.sampled_from(NASTY), st.integers(), st.floats(), st.text(max_size=12), st.booleans(), st.none())
values = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=5,
).map(copy.deepcopy)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, *documents: Any) -> Any:
    """Return one of the documents with up to three edits: a value replaced, a key gone, a key added."""
    document = copy.deepcopy(draw(st.sampled_from(documents)))
    for _ in range(draw(st.integers(0, 3))):
        document = _edited(draw, document)
    return document


def _edited(draw: st.DrawFn, document: Any) -> Any:
    holder, at = document, None
    places: list[tuple[Any, Any]] = [(None, None), *_places(document)]
    holder, at = places[draw(st.integers(0, len(places) - 1))]
    kind = draw(st.sampled_from(["replace", "replace", "remove", "add"]))
    if holder is None:
        return draw(values) if kind == "replace" and draw(st.integers(0, 3)) == 0 else document
    if kind == "remove":
        del holder[at]
    elif kind == "add" and isinstance(holder, dict):
        holder[draw(st.text(max_size=6))] = draw(values)
    else:
        holder[at] = draw(values)
    return document


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return every (container, key) of a document."""
    entries = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    found = [(value, key) for key, _ in entries]
    for _, child in entries:
        found += _places(child)
    return found


def events(*documents: Any) -> st.SearchStrategy[Any]:
    """Return events: mostly valid ones with edits, sometimes anything."""
    return st.one_of(mutated(*documents), mutated(*documents), mutated(*documents), values)


def bodies(*documents: Any) -> st.SearchStrategy[bytes]:
    """Return bytes that are meant to be JSON: edited documents, cut or garbled ones, deep ones, any bytes."""
    whole = events(*documents).map(encoded)
    cut = st.tuples(whole, st.integers(0, 80)).map(lambda pair: pair[0][: -1 - pair[1]])
    deep = st.sampled_from([b"[" * 3000, b'{"a":' * 3000, b"[" * 40 + b"]" * 40, b'{"a":' * 40 + b"1" + b"}" * 40])
    return st.one_of(whole, whole, whole, cut, deep, st.binary(max_size=40))


def encoded(value: Any) -> bytes:
    """Return JSON as Python writes it, NaN and lone surrogates among it."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def explore(strategy: st.SearchStrategy[Any], check: Callable[[list[Any]], None]) -> None:
    """Hand at least `COUNT` payloads to a check, in batches; the same ones in every run."""
    seen = 0

    @settings(
        max_examples=COUNT // BATCH, derandomize=True, deadline=None, database=None,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate],
    )  # fmt: skip
    @given(st.lists(strategy, min_size=BATCH, max_size=BATCH))
    def run(batch: list[Any]) -> None:
        nonlocal seen
        seen += len(batch)
        check(batch)

    logging.disable(logging.CRITICAL)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            run()
    finally:
        logging.disable(logging.NOTSET)
    assert seen >= COUNT
