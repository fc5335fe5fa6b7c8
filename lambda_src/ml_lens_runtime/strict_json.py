"""JSON from outside: every way in which it can be bad becomes a named fault, none an unexpected exception."""

from __future__ import annotations

import json
import math
from typing import Any

from ml_lens_runtime.errors import ReadingError

MAX_DEPTH = 32  # nested arrays and objects
_INT_DIGITS = 64  # longer integer literals are read as floats: int() of a huge literal is slow or refused


def loads(raw: bytes) -> Any:
    """Decode UTF-8 JSON.

    Raises
    ------
    ReadingError
        `bad_encoding` (not UTF-8) or `not_json` (syntax, or nested deeper than `MAX_DEPTH`).
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ReadingError("bad_encoding", f"not UTF-8 at byte {error.start}") from None
    try:
        value = json.loads(text, parse_int=_integer)
    except RecursionError:
        raise ReadingError("not_json", f"nested deeper than {MAX_DEPTH}") from None
    except ValueError as error:
        at = getattr(error, "pos", None)
        raise ReadingError("not_json", f"no valid JSON at character {at}") from None
    if text.count("[") + text.count("{") > MAX_DEPTH and too_deep(value):
        raise ReadingError("not_json", f"nested deeper than {MAX_DEPTH}")
    return value


def too_deep(value: Any) -> bool:
    """Tell whether a value nests deeper than `MAX_DEPTH`, without recursion."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for item in level for child in _children(item)]
        if not level:
            return False
    return any(isinstance(item, dict | list) for item in level)


def dumps(value: Any) -> str:
    """Encode compact ASCII JSON; a number that JSON can't express (NaN, infinity) becomes null."""
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), separators=(",", ":"), allow_nan=False)


def _integer(literal: str) -> int | float:
    return int(literal) if len(literal) <= _INT_DIGITS else float(literal)


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(child) for name, child in value.items()}
    if isinstance(value, list):
        return [_finite(child) for child in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
