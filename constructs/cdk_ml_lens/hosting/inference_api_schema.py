"""Which JSON Schemas an inference API takes: those that API Gateway and the handler check in the same way."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cdk_ml_lens.core.errors import Fault

TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
# What the handler checks (ml_lens_runtime/http_schema.py), and what says nothing about validity.
CHECKED = frozenset(
    [
        "additionalProperties",
        "allOf",
        "anyOf",
        "enum",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "items",
        "maxItems",
        "maxLength",
        "maximum",
        "minItems",
        "minLength",
        "minimum",
        "oneOf",
        "pattern",
        "properties",
        "required",
        "type",
    ]
)
_SILENT = frozenset({"$schema", "title", "description", "default", "id"})
_DEEPEST = 32


def faults_of(schema: Any, where: str = "$", depth: int = 0) -> Iterator[Fault]:
    """Yield what is wrong with a schema.

    Parameters
    ----------
    schema : Any
        A schema, or part of one.
    where : str
        Its place, for the messages.
    depth : int
        How deep the place is.

    Notes
    -----
    API Gateway reads draft 4. Source:
    https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings-models.html
    """
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        yield Fault(prop="schema", rule=f"be a schema of at most {_DEEPEST} levels at {where}", value=schema)
        return
    unknown = sorted(set(schema) - CHECKED - _SILENT)
    if unknown:
        hint = "the handler could not check it again"
        yield Fault(prop="schema", rule=f"use only {sorted(CHECKED)} at {where}", value=unknown, hint=hint)
    yield from _values(schema, where)
    for part, name in _parts(schema):
        yield from faults_of(part, f"{where}.{name}", depth + 1)


def _values(schema: Mapping[str, Any], where: str) -> Iterator[Fault]:
    kind = schema.get("type", "object")
    kinds = kind if isinstance(kind, list) else [kind]
    if not kinds or not all(one in TYPES for one in kinds):
        yield Fault(prop="schema", rule=f"have a type of {TYPES} at {where}", value=kind)
    for keyword in ("exclusiveMinimum", "exclusiveMaximum"):
        if not isinstance(schema.get(keyword, False), bool):
            hint = "draft 4: the bound is minimum or maximum"
            yield Fault(prop="schema", rule=f"have a boolean {keyword} at {where}", value=schema[keyword], hint=hint)
    if not _compiles(schema.get("pattern", "")):
        yield Fault(prop="schema", rule=f"have a regular expression as pattern at {where}", value=schema["pattern"])


def _compiles(pattern: Any) -> bool:
    try:
        re.compile(pattern)
    except (re.error, TypeError):
        return False
    return True


def _parts(schema: Mapping[str, Any]) -> Iterator[tuple[Any, str]]:
    properties = schema.get("properties", {})
    yield from ((part, name) for name, part in properties.items())
    if "items" in schema:
        yield schema["items"], "items"
    if not isinstance(schema.get("additionalProperties", True), bool):
        yield schema["additionalProperties"], "additionalProperties"
    for keyword in ("allOf", "anyOf", "oneOf"):
        yield from ((part, f"{keyword}[{number}]") for number, part in enumerate(schema.get(keyword, ())))
