"""Validation of one reading against the declared numeric features; every fault has a name."""

from __future__ import annotations

import math
from typing import Any

from ml_lens_runtime import strict_json
from ml_lens_runtime.env import Feature, Settings
from ml_lens_runtime.errors import ReadingError, snippet
from ml_lens_runtime.rule_record import Record

ABSURD = 1e12  # a magnitude beyond this is out of range where no bound is declared
_ID_CHARACTERS = 128
_JSON_NAMES = {bool: "a boolean", str: "a string", list: "an array", dict: "an object", type(None): "null"}


def decode(record: Record, *, settings: Settings) -> dict[str, Any]:
    """Return the reading as an object.

    Raises
    ------
    ReadingError
        `too_large`, `bad_encoding`, `not_json` or `not_an_object`, or the fault of the record itself.
    """
    size = len(record.identity)
    if size > settings.max_reading_bytes:
        raise ReadingError("too_large", f"{size} bytes, at most {settings.max_reading_bytes}")
    if record.fault is not None:
        raise record.fault
    content = strict_json.loads(record.raw) if record.content is None else record.content
    if not isinstance(content, dict):
        raise ReadingError("not_an_object", f"the payload is {_JSON_NAMES.get(type(content), 'a number')}")
    return content


def reading_id(content: dict[str, Any]) -> str | None:
    """Return the device's own id of the reading, None where it gives none.

    Raises
    ------
    ReadingError
        `wrong_type`: neither a whole number nor 1 to 128 printable characters.
    """
    value = content.get("reading_id")
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**64:
        return str(value)
    if isinstance(value, str) and 0 < len(value) <= _ID_CHARACTERS and value.isprintable():
        return value
    raise ReadingError("wrong_type", f"reading_id must have 1 to 128 printable characters, got {snippet(value)}")


def values(content: dict[str, Any], *, settings: Settings) -> tuple[float, ...]:
    """Return the features in the order of the model's input.

    Raises
    ------
    ReadingError
        `missing_feature`, `wrong_type`, `not_finite` or `out_of_range`, for the first feature at fault.
    """
    return tuple(_number(content, feature) for feature in settings.features)


def _number(content: dict[str, Any], feature: Feature) -> float:
    name = feature.name
    if name not in content:
        raise ReadingError("missing_feature", f"{name} is missing")
    value = content[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ReadingError("wrong_type", f"{name} is {_JSON_NAMES.get(type(value), 'not a number')}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ReadingError("not_finite", f"{name} is {number}")
    low = -ABSURD if feature.minimum is None else feature.minimum
    high = ABSURD if feature.maximum is None else feature.maximum
    if not low <= number <= high:
        raise ReadingError("out_of_range", f"{name} is {number:.6g}, not within {low:g} and {high:g}")
    return number
