"""Captured traffic: SageMaker's JSON lines, read into rows of cells in the order of their time."""

from __future__ import annotations

import base64
import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .columns import Cell
from .profile import BaselineError


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row that the endpoint was asked about.

    Parameters
    ----------
    key
        Inference id of its request, else the event id: what ground truth names.
    moment
        When it was answered, in ISO 8601.
    cells
        Features in the model's order, or by name when the request named them.
    prediction
        The answer, if it was captured.
    """

    key: str
    moment: str
    cells: Sequence[Cell] | Mapping[str, Cell]
    prediction: Cell


def read_captures(folder: Path, *, answer_field: str) -> list[Row]:
    """Read all capture files below a folder; a record that lies in two files counts once.

    Parameters
    ----------
    folder
        Holds ``**/*.jsonl``.
    answer_field
        Field of a JSON answer that is the prediction; of a CSV answer it is the first column.

    Raises
    ------
    BaselineError
        When a line is no capture record.
    """
    records: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.rglob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip():
                record = _record(path, line)
                records.setdefault(record["eventMetadata"]["eventId"], record)
    ordered = sorted(records.values(), key=lambda record: str(record["eventMetadata"]["inferenceTime"]))
    return [row for record in ordered for row in _rows(record, answer_field)]


def _record(path: Path, line: str) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads(line)
        if {"captureData", "eventMetadata"} <= set(record) and "eventId" in record["eventMetadata"]:
            return record
    except (TypeError, ValueError):
        pass
    raise BaselineError(f"{path.name} must hold capture records, got {line[:80]!r}")


def _rows(record: Mapping[str, Any], answer_field: str) -> Iterator[Row]:
    captured, metadata = record["captureData"], record["eventMetadata"]
    asked = [_features(item) for item in _items(captured.get("endpointInput"))]
    answers = [prediction_of(item, answer_field) for item in _items(captured.get("endpointOutput"))]
    if len(answers) != len(asked):  # not captured, or one answer for the whole request
        answers = [None] * len(asked)
    key = str(metadata.get("inferenceId", metadata["eventId"]))
    for place, (cells, answer) in enumerate(zip(asked, answers, strict=True)):
        name = key if len(asked) == 1 else f"{key}#{place}"
        yield Row(key=name, moment=str(metadata["inferenceTime"]), cells=cells, prediction=answer)


def _items(side: Mapping[str, Any] | None) -> list[Any]:
    """Return the rows of a request or of an answer: lists of cells from CSV, documents from JSON."""
    if side is None:
        return []
    text, encoding = str(side["data"]), side["encoding"]
    if encoding == "BASE64":
        text = base64.b64decode(text).decode("utf-8", errors="replace")
    if "json" in str(side.get("observedContentType", "")).lower() or encoding == "JSON":
        return _documents(text)
    return [[_cell(word) for word in row] for row in csv.reader(text.splitlines()) if row]


def _documents(text: str) -> list[Any]:
    try:
        whole = json.loads(text)
    except ValueError:
        return [_document(line) for line in text.splitlines() if line.strip()]
    if isinstance(whole, dict):
        for name in ("instances", "predictions", "scores"):
            if isinstance(whole.get(name), list):
                return list(whole[name])
    return [whole]


def _document(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return []


def _features(item: Any) -> Sequence[Cell] | Mapping[str, Cell]:
    """Return the cells of one row: a list, ``{"features": [...]}``, or features by name."""
    inner = item.get("features", item) if isinstance(item, dict) else item
    if isinstance(inner, dict):
        return {str(name): _scalar(value) for name, value in inner.items()}
    return [_scalar(value) for value in inner] if isinstance(inner, list) else [_scalar(inner)]


def prediction_of(item: Any, answer_field: str) -> Cell:
    """Return the prediction of one answer: a field of a document, the first of a list, or the answer itself."""
    if isinstance(item, dict):
        return _scalar(item.get(answer_field))
    if isinstance(item, list):
        return _scalar(item[0]) if item else None
    return _scalar(item)


def _cell(word: str) -> Cell:
    return word if word.strip() else None


def _scalar(value: Any) -> Cell:
    return value if value is None or isinstance(value, str | bool | int | float) else json.dumps(value)
