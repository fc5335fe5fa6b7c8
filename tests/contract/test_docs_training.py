"""The page of training: its permissions, alarms, errors and presets are those of the code."""

from __future__ import annotations

import json
import re
from typing import Any

import aws_cdk as cdk
import pytest

from cdk_ml_lens import Algorithm
from examples import training_pipeline, training_search
from tests.contract.pages import section
from tests.contract.test_docs_tables import allowed


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    app = cdk.App()
    stack = training_pipeline.build(app)
    found: dict[str, Any] = app.synth().get_stack_by_name(stack.stack_name).template["Resources"]
    return {id: resource for id, resource in found.items() if id.startswith("Pipeline")}


def test_permissions_are_those_of_the_template(resources: dict[str, Any]) -> None:
    table = section("training", "Permissions").partition("A search has")[0]
    listed = set(re.findall(r"`([a-z0-9-]+:[A-Z][A-Za-z0-9]+)`", table))
    assert listed == allowed(resources)


def test_alarms_are_those_of_the_template(resources: dict[str, Any]) -> None:
    alarms = {
        item["Properties"]["MetricName"] for item in resources.values() if item["Type"] == "AWS::CloudWatch::Alarm"
    }
    assert alarms == set(re.findall(r"`(Executions\w+)`", section("training", "Alarms")))


def test_the_search_that_the_page_shows_replaces_the_training_job() -> None:
    app = cdk.App()
    stack = training_search.build(app)
    found = app.synth().get_stack_by_name(stack.stack_name).template["Resources"]
    wanted = set(re.findall(r"`(sagemaker:\w+)`", section("training", "Permissions").partition("A search has")[2]))
    assert wanted <= allowed(found)
    assert "sagemaker:CreateTrainingJob" not in allowed(found)


def test_errors_are_those_of_the_machines(resources: dict[str, Any]) -> None:
    (machine,) = [item for item in resources.values() if item["Type"] == "AWS::StepFunctions::StateMachine"]
    told = set(re.findall(r'error\\?\\?":\\?\\?"(\w+)', json.dumps(machine)))
    listed = set(re.findall(r"`(\w+(?:Failed|Refused))`", section("training", "Overview")))
    assert listed - {"PrepareFailed"} == {error for error in told if error.endswith(("Failed", "Refused"))}


def test_presets_are_those_of_the_code() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", section("training", "Usage"), re.MULTILINE)
    presets = [name for name, made in vars(Algorithm).items() if isinstance(made, staticmethod)]
    assert sorted(listed) == sorted(presets)
