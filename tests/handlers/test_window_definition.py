"""The feature set and the normalisation parameters as the scorer reads them; what does not fit is refused by name."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import pytest

from ml_lens_runtime.env import Settings
from ml_lens_runtime.errors import ConfigurationError
from ml_lens_runtime.feature_definition import DefinitionError, FeatureSet
from ml_lens_runtime.normalisation import Parameters
from tests.handlers.test_runtime_env import GOOD
from tests.handlers.window_support import definition, document, feature

STANDARD = {"method": "standard", "per": "device"}
ENVIRONMENT = {name: value for name, value in GOOD.items() if name != "FEATURES"}


def given(**changes: Any) -> dict[str, str]:
    return {**ENVIRONMENT, "FEATURE_SET": json.dumps(document(**changes)), "WINDOW_TABLE": "window"}


def artifact(**changes: Any) -> str:
    everyone = {"temperature": [10.0, 2.0], "pressure": [0.0, 0.0]}
    found = {"version": "abc", "method": "standard", "all": everyone, "devices": {"d1": {"temperature": [20.0, 4.0]}}}
    return json.dumps({**found, **changes})


def test_names_and_look_back_follow_from_the_document() -> None:
    found = definition(feature("now", "value"), feature("hour", "rate", 3600))
    assert found.names == ("now", "hour")
    assert found.lookback == 3_600_000
    assert definition(feature("now", "value")).lookback == 30_000  # a value is held that long


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        json.dumps(document(version=2)),
        json.dumps(document(sensors=[])),
        json.dumps(document(features=[])),
        json.dumps(document(feature("a", "value"), feature("a", "mean", 60))),
        json.dumps(document(feature("a", "median", 60))),
        json.dumps(document(feature("a", "mean", 60, sensor="speed"))),
        json.dumps(document(feature("a", "mean", 0.5))),
        json.dumps(document(feature("a", "mean", -60))),
        json.dumps(document(feature("a", "mean", "60"))),
        json.dumps(document(feature("a", "mean", 60, null_value=True))),
        json.dumps(document(normalisation={"method": "robust", "per": "device"})),
    ],
)
def test_what_is_no_feature_set_is_refused(text: str) -> None:
    with pytest.raises(DefinitionError):
        FeatureSet.parse(text)


@pytest.mark.parametrize("packed", [False, True])
def test_the_environment_takes_a_feature_set_plain_or_packed(packed: bool) -> None:
    environment = given()
    if packed:
        environment["FEATURE_SET"] = base64.b64encode(zlib.compress(environment["FEATURE_SET"].encode())).decode()
    settings = Settings.parse(environment)
    assert settings.windows is not None
    assert (settings.windows.definition, settings.windows.table) == (definition(), "window")
    assert [feature.name for feature in settings.features] == ["temperature"]


def test_without_the_variables_there_are_no_windows() -> None:
    assert Settings.parse({**GOOD, "FEATURE_SET": "", "WINDOW_TABLE": " "}).windows is None


@pytest.mark.parametrize(
    ("name", "environment"),
    [
        ("WINDOW_TABLE", {**given(), "WINDOW_TABLE": ""}),
        ("FEATURE_SET", {**given(), "FEATURE_SET": ""}),
        ("FEATURE_SET", {**given(), "FEATURE_SET": "{}"}),
        ("FEATURE_SET", {**given(), "FEATURE_SET": "%%%"}),
        ("FEATURE_SET", {**given(), "FEATURE_SET": base64.b64encode(b"no deflate").decode()}),
        ("NORMALISATION_BUCKET", {**given(normalisation=STANDARD)}),
        ("NORMALISATION_KEY", {**given(normalisation=STANDARD), "NORMALISATION_BUCKET": "b"}),
        ("NORMALISATION_BUCKET", {**given(), "NORMALISATION_BUCKET": "b", "NORMALISATION_KEY": "k"}),
    ],
)
def test_an_incomplete_or_bad_variable_fails_with_its_name(name: str, environment: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name} must "):
        Settings.parse(environment)


def test_a_device_has_its_own_scale_and_an_unknown_one_that_of_all() -> None:
    found = Parameters.parse(artifact(), definition=definition(normalisation=STANDARD))
    assert found.version == "abc"
    assert found.scale("d1", "temperature") == (20.0, 4.0)
    assert found.scale("d2", "temperature") == (10.0, 2.0)
    assert found.scale("d1", "pressure") == (0.0, 1.0)  # not known of d1; a width of 0 counts as 1


def test_parameters_of_all_devices_ignore_those_of_one() -> None:
    found = Parameters.parse(artifact(), definition=definition(normalisation={"method": "standard", "per": "all"}))
    assert found.scale("d1", "temperature") == (10.0, 2.0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        artifact(method="minmax"),
        artifact(all={"temperature": [0.0, 1.0]}),
        artifact(devices=None),
        artifact(all={"temperature": [0.0], "pressure": [0.0, 1.0]}),
        '{"version": "1", "method": "standard", "all": {"temperature": [NaN, 1], "pressure": [0, 1]}, "devices": {}}',
    ],
)
def test_parameters_that_do_not_fit_are_refused(text: str) -> None:
    with pytest.raises(DefinitionError):
        Parameters.parse(text, definition=definition(normalisation=STANDARD))
