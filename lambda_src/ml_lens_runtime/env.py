"""The environment of the scorer, parsed once into a frozen dataclass; a bad variable fails with its name."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ml_lens_runtime.errors import ConfigurationError
from ml_lens_runtime.window_env import WindowSettings

CONTENT_TYPES = ("text/csv", "application/jsonlines")
ACTION_TARGETS = {"notify": "topic_arn", "command": "topic", "state_machine": "arn", "function": "arn"}
IOT_PAYLOAD_LIMIT = 131_072  # bytes; https://docs.aws.amazon.com/general/latest/gr/iot-core.html


@dataclass(frozen=True, kw_only=True, slots=True)
class Feature:
    """One declared numeric input of the model; bounds are inclusive, None means the absurdity bound."""

    name: str
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """What to do on an anomaly: `kind` is a key of `ACTION_TARGETS`, `target` an ARN or a topic."""

    name: str
    kind: str
    target: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Everything that the scorer reads from its environment."""

    endpoint_name: str
    features: tuple[Feature, ...]
    content_type: str
    actions: tuple[Action, ...]
    dead_letter_queue_url: str
    ledger_table: str
    ledger_hours: int
    max_attempts: int
    max_reading_bytes: int
    rule_name: str
    source_queue_url: str | None = None
    prediction_stream: str | None = None
    threshold: float | None = None
    model_version: str | None = None
    windows: WindowSettings | None = None

    @classmethod
    def parse(cls, environ: Mapping[str, str]) -> Settings:
        """Parse the environment.

        Raises
        ------
        ConfigurationError
            A variable is missing or invalid; its name is the first word of the message.
        """
        windows = WindowSettings.parse(environ)
        content_type = _text(environ, "CONTENT_TYPE")
        if content_type not in CONTENT_TYPES:
            raise ConfigurationError(f"CONTENT_TYPE must be one of {CONTENT_TYPES}, got {content_type!r}")
        return cls(
            endpoint_name=_text(environ, "ENDPOINT_NAME"),
            features=_features(environ) if windows is None else _inputs(windows),
            content_type=content_type,
            actions=_actions(environ),
            dead_letter_queue_url=_text(environ, "DEAD_LETTER_QUEUE_URL"),
            ledger_table=_text(environ, "LEDGER_TABLE"),
            ledger_hours=_whole(environ, "LEDGER_HOURS", most=24 * 365),
            max_attempts=_whole(environ, "MAX_ATTEMPTS", most=1000),
            max_reading_bytes=_whole(environ, "MAX_READING_BYTES", most=IOT_PAYLOAD_LIMIT),
            rule_name=_text(environ, "RULE_NAME"),
            source_queue_url=_optional(environ, "SOURCE_QUEUE_URL"),
            prediction_stream=_optional(environ, "PREDICTION_STREAM"),
            threshold=_threshold(environ),
            model_version=_optional(environ, "MODEL_VERSION"),
            windows=windows,
        )


def _text(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise ConfigurationError(f"{name} must be set")
    return value


def _optional(environ: Mapping[str, str], name: str) -> str | None:
    value = environ.get(name, "").strip()
    return value if value else None


def _whole(environ: Mapping[str, str], name: str, *, most: int) -> int:
    text = _text(environ, name)
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:18]) <= most):
        raise ConfigurationError(f"{name} must be a whole number from 1 to {most}, got {text[:40]!r}")
    return int(text)


def _threshold(environ: Mapping[str, str]) -> float | None:
    text = environ.get("THRESHOLD", "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ConfigurationError(f"THRESHOLD must be a finite number, got {text[:40]!r}")
    return value


def _objects(environ: Mapping[str, str], name: str) -> list[dict[str, Any]]:
    try:
        value = json.loads(_text(environ, name))
    except ValueError as error:
        raise ConfigurationError(f"{name} must be JSON, got {error}") from None
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise ConfigurationError(f"{name} must be a JSON list of objects")
    return value


def _features(environ: Mapping[str, str]) -> tuple[Feature, ...]:
    features = tuple(_feature(entry) for entry in _objects(environ, "FEATURES"))
    if not features or len({feature.name for feature in features}) != len(features):
        raise ConfigurationError("FEATURES must name at least one feature, each once")
    return features


def _inputs(windows: WindowSettings) -> tuple[Feature, ...]:
    return tuple(Feature(name=name) for name in windows.definition.names)


def _feature(entry: dict[str, Any]) -> Feature:
    name, low, high = entry.get("name"), entry.get("minimum"), entry.get("maximum")
    if not isinstance(name, str) or not name:
        raise ConfigurationError("FEATURES must give each entry a name")
    for bound in (low, high):
        if bound is not None and (type(bound) not in (int, float) or not math.isfinite(bound)):
            raise ConfigurationError(f"FEATURES must give {name} finite numbers or null as bounds")
    if low is not None and high is not None and low > high:
        raise ConfigurationError(f"FEATURES must give {name} a minimum not above its maximum")
    return Feature(name=name, minimum=low, maximum=high)


def _actions(environ: Mapping[str, str]) -> tuple[Action, ...]:
    actions = tuple(_action(entry) for entry in _objects(environ, "ACTIONS"))
    if len({action.name for action in actions}) != len(actions):
        raise ConfigurationError("ACTIONS must have different names")
    return actions


def _action(entry: dict[str, Any]) -> Action:
    kind, name = entry.get("type"), entry.get("name")
    if kind not in ACTION_TARGETS:
        raise ConfigurationError(f"ACTIONS must have a type of {sorted(ACTION_TARGETS)}, got {kind!r}")
    target = entry.get(ACTION_TARGETS[kind])
    if not isinstance(name, str) or not name or not isinstance(target, str) or not target:
        raise ConfigurationError(f"ACTIONS must give {kind} a name and {ACTION_TARGETS[kind]}")
    return Action(name=name, kind=kind, target=target)
