"""The handler's reading of JSON Schema, keyword by keyword, and of its own environment."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ml_lens_runtime.errors import ConfigurationError
from ml_lens_runtime.http_env import ApiSettings
from ml_lens_runtime.http_schema import violation
from tests.handlers.api_support import packed

# schema, what it takes, what it refuses
CASES: list[tuple[dict[str, Any], list[Any], list[Any]]] = [
    ({"type": "integer"}, [1, -2, 3.0], [1.5, True, "1", None]),
    ({"type": "number"}, [1, 1.5], [True, "1", float("inf"), float("nan")]),
    ({"type": "string"}, ["", "a"], [1, None]),
    ({"type": "boolean"}, [True, False], [0, 1]),
    ({"type": ["null", "string"]}, [None, "a"], [1]),
    ({"type": "array"}, [[]], [{}]),
    ({"enum": ["a", 1, None]}, ["a", 1, None], ["b", True]),
    ({"minimum": 1, "maximum": 3}, [1, 3, "not a number"], [0.9, 3.1]),
    ({"minimum": 1, "exclusiveMinimum": True}, [1.1], [1]),
    ({"maximum": 1, "exclusiveMaximum": True}, [0.9], [1]),
    ({"minLength": 1, "maxLength": 2}, ["a", "ab", 7], ["", "abc"]),
    ({"pattern": "^a+$"}, ["aa"], ["ab"]),
    ({"items": {"type": "string"}, "minItems": 1, "maxItems": 2}, [["a"]], [[], ["a", "b", "c"], [1]]),
    ({"required": ["a"]}, [{"a": None}, []], [{}]),
    ({"properties": {"a": {"type": "string"}}}, [{"a": "x"}, {"b": 1}], [{"a": 1}]),
    ({"properties": {"a": {}}, "additionalProperties": False}, [{"a": 1}, {}], [{"b": 1}]),
    ({"properties": {"a": {}}, "additionalProperties": {"type": "string"}}, [{"a": 1, "b": "x"}], [{"b": 1}]),
    ({"allOf": [{"minimum": 1}, {"maximum": 2}]}, [1.5], [0, 3]),
    ({"anyOf": [{"type": "string"}, {"minimum": 5}]}, ["a", 6], [1]),
    ({"oneOf": [{"minimum": 1}, {"maximum": 3}]}, [0, 4], [2]),
    ({"oneOf": [{"type": "string"}, {"type": "null"}]}, ["a", None], [2]),
]


@pytest.mark.parametrize(("schema", "good", "bad"), CASES)
def test_a_keyword_takes_and_refuses(schema: dict[str, Any], good: list[Any], bad: list[Any]) -> None:
    assert [value for value in good if violation(schema, value) is not None] == []
    assert [value for value in bad if violation(schema, value) is None] == []


def test_an_unknown_name_of_the_request_is_not_repeated() -> None:
    schema = {"additionalProperties": {"type": "string"}}

    assert violation(schema, {"secret": 1}) == "$.* must be of type string"


VARIABLES = {
    "ENDPOINT_NAME": "turbines",
    "REQUEST_SCHEMA": packed({"type": "object"}),
    "FEATURES": "temperature,pressure",
    "CONTENT_TYPE": "text/csv",
    "MAX_BODY_BYTES": "65536",
    "MODEL_SECONDS": "10",
    "MODEL_VERSION": "",
}


def test_environment_is_read() -> None:
    settings = ApiSettings.parse(VARIABLES)

    assert settings.features == ("temperature", "pressure")
    assert (settings.schema, settings.model_version) == ({"type": "object"}, "unknown")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENDPOINT_NAME", " "),
        ("REQUEST_SCHEMA", "{}"),
        ("REQUEST_SCHEMA", packed([])),
        ("REQUEST_SCHEMA", "AAAA"),
        ("CONTENT_TYPE", "text/plain"),
        ("MAX_BODY_BYTES", "0"),
        ("MAX_BODY_BYTES", "99999999"),
        ("MODEL_SECONDS", "26"),
        ("MODEL_SECONDS", "1.5"),
    ],
)
def test_a_bad_variable_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{re.escape(name)} must"):
        ApiSettings.parse({**VARIABLES, name: value})
