"""JSON Schema draft 4 as API Gateway checks it, as far as constructs let it through: the first violation, or none.

The messages name the place and the rule, never a value of the request.
Source: https://datatracker.ietf.org/doc/html/draft-fge-json-schema-validation-00
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

Schema = Mapping[str, Any]
Check = Callable[[Schema, Any], str | None]


def violation(schema: Schema, value: Any, *, path: str = "$") -> str | None:
    """Return what is wrong with a value and where, or None."""
    for check in (_type, _enum, _number, _text, _array_size, _object_keys):
        if (fault := check(schema, value)) is not None:
            return f"{path} {fault}"
    return _combined(schema, value, path) or _children(schema, value, path)


def _type(schema: Schema, value: Any) -> str | None:
    if "type" not in schema:
        return None
    wanted = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if any(_TYPES[name](value) for name in wanted):
        return None
    return f"must be of type {' or '.join(wanted)}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


_TYPES: dict[str, Callable[[Any], bool]] = {
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: _is_number(value) and value == int(value),
    "null": lambda value: value is None,
    "number": _is_number,
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
}


def _enum(schema: Schema, value: Any) -> str | None:
    allowed = schema.get("enum")
    if allowed is None or any(_same(value, option) for option in allowed):
        return None
    return "must be one of the listed values"


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _number(schema: Schema, value: Any) -> str | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    low, high = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
    if value < low or (value == low and schema.get("exclusiveMinimum", False)):
        return f"must be at least {low:g}" if value < low else f"must be above {low:g}"
    if value > high or (value == high and schema.get("exclusiveMaximum", False)):
        return f"must be at most {high:g}" if value > high else f"must be below {high:g}"
    return None


def _text(schema: Schema, value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", math.inf):
        return "has too few or too many characters"
    if "pattern" in schema and re.search(schema["pattern"], value) is None:
        return "does not match its pattern"
    return None


def _array_size(schema: Schema, value: Any) -> str | None:
    if not isinstance(value, list):
        return None
    low, high = schema.get("minItems", 0), schema.get("maxItems", math.inf)
    if low <= len(value) <= high:
        return None
    return f"must have at least {low} items" if len(value) < low else f"must have at most {high} items"


def _object_keys(schema: Schema, value: Any) -> str | None:
    if not isinstance(value, dict):
        return None
    for name in schema.get("required", ()):
        if name not in value:
            return f"must have {name!r}"
    if schema.get("additionalProperties", True) is False and not value.keys() <= schema.get("properties", {}).keys():
        return "has a field that is not declared"
    return None


def _combined(schema: Schema, value: Any, path: str) -> str | None:
    for part in schema.get("allOf", ()):
        if (fault := violation(part, value, path=path)) is not None:
            return fault
    for keyword, most in (("anyOf", math.inf), ("oneOf", 1)):
        if keyword in schema:
            fitting = sum(violation(part, value, path=path) is None for part in schema[keyword])
            if not 1 <= fitting <= most:
                return f"{path} fits none of its alternatives" if fitting == 0 else f"{path} fits several alternatives"
    return None


def _children(schema: Schema, value: Any, path: str) -> str | None:
    """Check the members; a name of the schema appears in the path, a name of the request does not."""
    if isinstance(value, list):
        parts = ((schema.get("items", {}), item, f"{path}[{index}]") for index, item in enumerate(value))
    elif isinstance(value, dict):
        declared, other = schema.get("properties", {}), schema.get("additionalProperties", {})
        parts = (
            (declared[name], item, f"{path}.{name}")
            if name in declared
            else (other if isinstance(other, Mapping) else {}, item, f"{path}.*")
            for name, item in value.items()
        )
    else:
        return None
    found = (violation(part, item, path=where) for part, item, where in parts if part)
    return next((fault for fault in found if fault is not None), None)
