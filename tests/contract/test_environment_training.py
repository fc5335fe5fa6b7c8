"""The environment of the training functions: what the construct sets is what the handlers read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from ml_lens_runtime.errors import ConfigurationError
from ml_lens_runtime.model_gate import Gate
from ml_lens_runtime.registration import RegistrationSettings
from tests.contract.test_environment import flat
from tests.unit.training.pipeline_support import GATE, pipeline


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """Return the variables of both functions, by the name of their handler."""
    app = cdk.App(outdir=str(Path(tmp_path_factory.mktemp("environment")) / "out"))
    stack = cdk.Stack(app, "S")
    pipeline(stack)
    resources: dict[str, Any] = app.synth().get_stack_by_name("S").template["Resources"]
    functions = [item["Properties"] for item in resources.values() if item["Type"] == "AWS::Lambda::Function"]
    return {
        function["Handler"].split(".")[1]: {
            name: flat(value) for name, value in function["Environment"]["Variables"].items()
        }
        for function in functions
    }


def test_gate_is_understood(variables: dict[str, dict[str, str]]) -> None:
    gate = Gate.parse(variables["judge_candidate"])
    assert gate.minimum_rows == GATE.minimum_rows
    (rule,) = gate.rules
    assert (rule.metric, rule.number, rule.direction, rule.relative) == ("alert_rate", 0.05, "at_most", False)


def test_registration_is_understood(variables: dict[str, dict[str, str]]) -> None:
    settings = RegistrationSettings.parse(variables["register_candidate"])
    assert (settings.group, settings.bucket) == ("Turbines", "artifacts")
    assert settings.approval_status == "PendingManualApproval"
    assert settings.environment["SAGEMAKER_PROGRAM"] == "inference.py"
    assert settings.endpoint == {"variant_name": "champion", "instance_type": "ml.m5.large", "instance_count": 1}
    assert len(settings.code_sha256) == 64


@pytest.mark.parametrize("name", ["GROUP", "BUCKET", "APPROVAL_STATUS", "IMAGE", "CONTENT_TYPES", "ENDPOINT"])
def test_each_variable_is_needed(variables: dict[str, dict[str, str]], name: str) -> None:
    given = {key: value for key, value in variables["register_candidate"].items() if key != name}
    with pytest.raises(ConfigurationError, match=name):
        RegistrationSettings.parse(given)
