"""The wire format of our detectors: what a request may hold and how it is answered, as in the anomaly model."""

from __future__ import annotations

import csv
import importlib
import json
import math
from dataclasses import dataclass
from typing import Any, NoReturn, cast

import numpy as np
import numpy.typing as npt

CSV = "text/csv"
JSON_LINES = "application/jsonlines"
ANY = frozenset({"", "*/*", "application/json", JSON_LINES})
"""Accept headers answered with JSON lines; the container fills in application/json for a missing one."""


def _http_error(name: str) -> type[Exception]:
    """Return werkzeug's exception, whose status SageMaker's container (Flask) answers with; else ValueError."""
    try:
        return cast(type[Exception], getattr(importlib.import_module("werkzeug.exceptions"), name))
    except ImportError:
        return ValueError


class UnreadableInputError(_http_error("BadRequest")):  # type: ignore[misc]
    """The request body is not what its content type promises: status 400."""

    code = 400


class UnsupportedContentTypeError(_http_error("UnsupportedMediaType")):  # type: ignore[misc]
    """The content type of the request is neither CSV nor JSON lines: status 415."""

    code = 415


class UnsupportedAcceptError(_http_error("NotAcceptable")):  # type: ignore[misc]
    """The caller wants an answer that is neither CSV nor JSON lines: status 406."""

    code = 406


@dataclass(frozen=True, kw_only=True)
class Scored:
    """Scores of one request, in the order of its rows."""

    scores: npt.NDArray[np.float64]
    threshold: float
    model_version: str


def input_fn(body: bytes | str, content_type: str) -> npt.NDArray[np.float64]:
    """Read the rows of a request: CSV without header, or one ``{"features": [...]}`` per line."""
    kind = content_type.split(";")[0].strip().lower()
    read = {CSV: _read_csv, JSON_LINES: _read_json_lines}.get(kind)
    if read is None:
        raise UnsupportedContentTypeError(f"content type must be {CSV} or {JSON_LINES}, got {content_type!r}")
    try:
        rows = read(body.decode("utf-8") if isinstance(body, bytes) else body)
    except UnicodeDecodeError as error:
        raise UnreadableInputError(f"the body must be UTF-8: {error}") from error
    if not rows:
        raise UnreadableInputError("the body must hold at least one row, got none")
    return np.array(rows, dtype=np.float64)


def output_fn(scored: Scored, accept: str) -> tuple[str, str]:
    """Write one line per row and return it with its content type."""
    kind = accept.split(";")[0].strip().lower()
    if kind == CSV:
        lines = [f"{score!r},{scored.threshold!r},{scored.model_version}" for score in scored.scores.tolist()]
        return "\n".join(lines) + "\n", CSV
    if kind not in ANY:
        raise UnsupportedAcceptError(f"accept must be {CSV} or {JSON_LINES}, got {accept!r}")
    common = {"threshold": scored.threshold, "model_version": scored.model_version}
    lines = [
        json.dumps({"score": score, **common, "anomaly": score > scored.threshold}) for score in scored.scores.tolist()
    ]
    return "\n".join(lines) + "\n", JSON_LINES


def _read_csv(text: str) -> list[list[float]]:
    return _same_width([_numbers(number, row) for number, row in enumerate(csv.reader(text.splitlines()), 1) if row])


def _read_json_lines(text: str) -> list[list[float]]:
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    return _same_width([_numbers(number, _features_of(number, line)) for number, line in lines])


def _features_of(number: int, line: str) -> list[Any]:
    try:
        document = json.loads(line)
    except ValueError as error:
        raise UnreadableInputError(f"line {number} must be JSON: {error}") from error
    values = document.get("features") if isinstance(document, dict) else None
    if not isinstance(values, list) or any(isinstance(value, str | bool) for value in values):
        _refuse(number, 'must be {"features": [numbers]}')
    return values


def _numbers(number: int, cells: list[Any]) -> list[float]:
    try:
        values = [float(cell) for cell in cells]
    except (TypeError, ValueError, OverflowError):
        _refuse(number, f"must hold numbers, got {str(cells)[:80]}")
    if not all(math.isfinite(value) for value in values):
        _refuse(number, "must hold finite numbers only")
    return values


def _same_width(rows: list[list[float]]) -> list[list[float]]:
    for number, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            _refuse(number, f"must have {len(rows[0])} values like the first row, got {len(row)}")
    return rows


def _refuse(number: int, fault: str) -> NoReturn:
    raise UnreadableInputError(f"line {number} {fault}")
