"""The page of retraining: its permissions, alarms, metrics and outcomes are those of the code."""

from __future__ import annotations

import inspect
import re
from typing import Any

import aws_cdk as cdk
import pytest

from examples import retraining
from handlers import start_retraining
from tests.contract.pages import section
from tests.contract.test_docs_tables import allowed

GRANTED_TO_CALLERS = {"lambda:InvokeFunction"}


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    app = cdk.App()
    stack = retraining.build(app)
    found = app.synth().get_stack_by_name(stack.stack_name).template["Resources"]
    return {id: resource for id, resource in found.items() if id.startswith("Retraining")}


def test_permissions_are_those_of_the_template(resources: dict[str, Any]) -> None:
    listed = set(re.findall(r"`([a-z0-9-]+:[A-Z][A-Za-z0-9]+)`", section("retraining", "Permissions")))
    assert listed == allowed(resources) | GRANTED_TO_CALLERS


def test_alarms_and_metrics_are_those_of_the_code(resources: dict[str, Any]) -> None:
    text = section("retraining", "Alarms")
    alarms = [item["Properties"] for item in resources.values() if item["Type"] == "AWS::CloudWatch::Alarm"]
    assert {alarm["MetricName"] for alarm in alarms} == set(re.findall(r"\| `\w+` \| `(\w+)`", text))
    source = inspect.getsource(start_retraining._figures)
    counted = set(re.findall(r'"([A-Z]\w+)"', source))
    assert counted == {"CausesTaken", "RunsClaimed", "CausesWaiting", "Running"}
    assert [name for name in counted if f"`{name}`" not in text] == []


def test_outcomes_are_those_of_the_code() -> None:
    (listed,) = re.findall(r"`outcome` is ([^.]+)\.", section("retraining", "Usage"))
    returned = re.findall(r'"(\w+)"', inspect.getsource(start_retraining._outcome))
    assert set(re.findall(r"`(\w+)`", listed)) == set(returned)
