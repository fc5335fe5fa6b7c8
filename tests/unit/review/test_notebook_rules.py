"""Rules on notebooks and Studio: defaults of AWS break them, a parameter is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.review.reports import findings

NOTEBOOK, DOMAIN = "AWS::SageMaker::NotebookInstance", "AWS::SageMaker::Domain"
IDLE = ("DefaultUserSettings", "JupyterLabAppSettings", "AppLifecycleManagement", "IdleSettings", "LifecycleManagement")
METADATA = ("InstanceMetadataServiceConfiguration", "MinimumInstanceMetadataServiceVersion")
RULES = [
    ("NB1", NOTEBOOK, ("KmsKeyId",), None, "key"),
    ("NB2", NOTEBOOK, ("RootAccess",), "Enabled", "Disabled"),
    ("NB3", NOTEBOOK, ("DirectInternetAccess",), "Enabled", "Disabled"),
    ("NB4", NOTEBOOK, ("LifecycleConfigName",), None, "stop-when-idle"),
    ("NB5", NOTEBOOK, METADATA, "1", "2"),
    ("NB6", DOMAIN, ("AppNetworkAccessType",), "PublicInternetOnly", "VpcOnly"),
    ("NB7", DOMAIN, ("KmsKeyId",), None, "key"),
    ("NB8", DOMAIN, IDLE, "DISABLED", "ENABLED"),
]


def found(rule: str, cfn_type: str, path: tuple[str, ...], value: Any) -> list[str]:
    for name in reversed(path):
        value = {name: value}
    return findings(rule, {"X": (cfn_type, value)})


@pytest.mark.parametrize(("rule", "cfn_type", "path", "bad", "good"), RULES)
def test_the_default_and_the_bad_value_are_found(
    rule: str, cfn_type: str, path: tuple[str, ...], bad: Any, good: Any
) -> None:
    assert findings(rule, {"X": (cfn_type, {})}) == ["X"]
    assert bad is None or found(rule, cfn_type, path, bad) == ["X"]
    assert found(rule, cfn_type, path, good) == []


@pytest.mark.parametrize(("rule", "cfn_type", "path", "bad", "good"), RULES)
def test_what_a_parameter_or_a_condition_decides_is_left_alone(
    rule: str, cfn_type: str, path: tuple[str, ...], bad: Any, good: Any
) -> None:
    assert found(rule, cfn_type, path, {"Ref": "Parameter"}) == []
    assert findings(rule, {"X": (cfn_type, {path[0]: {"Fn::If": ["C", {}, {}]}})}) == []


def test_a_version_of_the_metadata_service_may_be_a_number() -> None:
    assert found("NB5", NOTEBOOK, METADATA, 2) == []
    assert found("NB5", NOTEBOOK, METADATA, 1) == ["X"]
