"""The environment is parsed once; every bad variable fails with its name."""

from __future__ import annotations

import dataclasses

import pytest

from ml_lens_runtime.env import Action, Feature, Settings
from ml_lens_runtime.errors import ConfigurationError

GOOD = {
    "ENDPOINT_NAME": "turbines",
    "FEATURES": '[{"name": "temperature", "minimum": -40, "maximum": null}, {"name": "pressure"}]',
    "CONTENT_TYPE": "text/csv",
    "ACTIONS": '[{"type": "command", "name": "stop", "topic": "devices/{device_id}/commands"}]',
    "DEAD_LETTER_QUEUE_URL": "https://queues/dead-letters",
    "LEDGER_TABLE": "ledger",
    "LEDGER_HOURS": "24",
    "MAX_ATTEMPTS": "5",
    "MAX_READING_BYTES": "4096",
    "RULE_NAME": "telemetry",
}


def test_the_environment_becomes_settings() -> None:
    settings = Settings.parse({**GOOD, "THRESHOLD": "0", "MODEL_VERSION": "v1", "PREDICTION_STREAM": ""})

    assert settings.features == (Feature(name="temperature", minimum=-40), Feature(name="pressure"))
    assert settings.actions == (Action(name="stop", kind="command", target="devices/{device_id}/commands"),)
    assert (settings.ledger_hours, settings.max_attempts, settings.max_reading_bytes) == (24, 5, 4096)
    assert (settings.threshold, settings.model_version) == (0.0, "v1")
    assert (settings.prediction_stream, settings.source_queue_url) == (None, None)


def test_settings_do_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings.parse(GOOD).max_attempts = 6  # type: ignore[misc]


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_variable_fails_with_its_name(name: str, value: str | None) -> None:
    environment = {key: text for key, text in {**GOOD, name: value}.items() if text is not None}

    with pytest.raises(ConfigurationError, match=f"^{name} must be set"):
        Settings.parse(environment)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONTENT_TYPE", "application/json"),
        ("FEATURES", "temperature"),
        ("FEATURES", "[]"),
        ("FEATURES", '["temperature"]'),
        ("FEATURES", '[{"name": ""}]'),
        ("FEATURES", '[{"name": "a"}, {"name": "a"}]'),
        ("FEATURES", '[{"name": "a", "minimum": "0"}]'),
        ("FEATURES", '[{"name": "a", "minimum": true}]'),
        ("FEATURES", '[{"name": "a", "maximum": NaN}]'),
        ("FEATURES", '[{"name": "a", "minimum": 2, "maximum": 1}]'),
        ("ACTIONS", "{}"),
        ("ACTIONS", '[{"type": "mail", "name": "x"}]'),
        ("ACTIONS", '[{"type": "notify", "name": "x"}]'),
        ("ACTIONS", '[{"type": "notify", "topic_arn": "arn"}]'),
        ("ACTIONS", '[{"type": "function", "name": "x", "arn": "a"}, {"type": "function", "name": "x", "arn": "b"}]'),
        ("LEDGER_HOURS", "0"),
        ("LEDGER_HOURS", "1.5"),
        ("MAX_ATTEMPTS", "-1"),
        ("MAX_ATTEMPTS", "²"),
        ("MAX_ATTEMPTS", "9" * 5000),
        ("MAX_READING_BYTES", "131073"),
        ("THRESHOLD", "high"),
        ("THRESHOLD", "nan"),
    ],
)
def test_an_invalid_variable_fails_with_its_name(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name} must "):
        Settings.parse({**GOOD, name: value})
