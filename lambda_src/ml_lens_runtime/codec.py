"""Request and answer of the model on SageMaker's container contract: one line per reading, CSV or JSON."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from ml_lens_runtime.env import Settings
from ml_lens_runtime.errors import AnswerMismatchError, snippet

_VERSION_CHARACTERS = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """What the model says of one reading; a higher score is more abnormal."""

    score: float
    threshold: float
    model_version: str


def encode(rows: Sequence[Sequence[float]], *, content_type: str) -> bytes:
    """Return the request body: one line per row, features in declared order, no header."""
    if content_type == "text/csv":
        lines = [",".join(map(repr, row)) for row in rows]
    else:
        lines = [json.dumps({"features": list(row)}) for row in rows]
    return ("\n".join(lines) + "\n").encode("ascii")


def decode(body: bytes, *, content_type: str, count: int, settings: Settings) -> list[Score]:
    """Return one score per reading, by position.

    Parameters
    ----------
    body : bytes
        The model's answer.
    content_type : str
        Of the answer; anything but CSV is read as JSON lines.
    count : int
        Readings of the request.
    settings : Settings
        Fallback threshold and model version.

    Raises
    ------
    AnswerMismatchError
        Not one line per reading, or one line without a finite score and threshold: nothing of it is used.
    """
    try:
        lines = body.decode("utf-8").strip("\r\n").split("\n")
    except UnicodeDecodeError:
        raise AnswerMismatchError("the answer is not UTF-8") from None
    if len(lines) != count or not lines[0]:
        found = len(lines) if lines[0] else 0
        raise AnswerMismatchError(f"the answer has {found} lines for {count} readings")
    parse: Callable[[str], dict[str, object]] = _csv if content_type.startswith("text/csv") else _json
    return [_score(parse(line), settings=settings) for line in lines]


def _json(line: str) -> dict[str, object]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise AnswerMismatchError(f"a line of the answer is not JSON: {snippet(line)}") from None
    if not isinstance(value, dict):
        raise AnswerMismatchError(f"a line of the answer is not an object: {snippet(line)}")
    return value


def _csv(line: str) -> dict[str, object]:
    try:
        cells = next(csv.reader([line.rstrip("\r")]), [])
        numbers = [float(cell) for cell in cells[:2]]
    except (ValueError, csv.Error):
        raise AnswerMismatchError(f"a line of the answer is not numeric: {snippet(line)}") from None
    if not 1 <= len(cells) <= 3:
        raise AnswerMismatchError(f"a line of the answer has {len(cells)} columns, at most 3")
    return dict(zip(("score", "threshold", "model_version"), [*numbers, *cells[2:]], strict=False))


def _score(fields: dict[str, object], *, settings: Settings) -> Score:
    score, threshold = _finite(fields, "score"), settings.threshold
    if fields.get("threshold") is not None:
        threshold = _finite(fields, "threshold")
    if threshold is None:
        raise AnswerMismatchError("no threshold, neither in the answer nor in THRESHOLD")
    version = fields.get("model_version")
    if version is None:
        version = "unknown" if settings.model_version is None else settings.model_version
    return Score(score=score, threshold=threshold, model_version=str(version)[:_VERSION_CHARACTERS])


def _finite(fields: dict[str, object], name: str) -> float:
    value = fields.get(name)
    number = math.nan
    if isinstance(value, int | float) and not isinstance(value, bool):
        with suppress(OverflowError):
            number = float(value)
    if not math.isfinite(number):
        raise AnswerMismatchError(f"{name} of an answer is not a finite number: {snippet(value)}")
    return number
