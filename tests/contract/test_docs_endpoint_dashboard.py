"""The page of the endpoint dashboard: its rows and metrics are those of the example's dashboard."""

from __future__ import annotations

import json
import re
from typing import Any

import aws_cdk as cdk
import pytest

from examples import endpoint_dashboard as example
from tests.contract.pages import section


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    app = cdk.App()
    stack = example.build(app)
    found: dict[str, Any] = app.synth().get_stack_by_name(stack.stack_name).template["Resources"]
    return found


def test_metrics_that_the_page_names_are_on_the_dashboard(resources: dict[str, Any]) -> None:
    (dashboard,) = [item for item in resources.values() if item["Type"] == "AWS::CloudWatch::Dashboard"]
    text = json.dumps(dashboard["Properties"]["DashboardBody"])
    rows = section("endpoint-dashboard", "Overview").split("| Row |")[1]
    named = set(re.findall(r"`([A-Z]\w+)`", rows)) - {"QualityViolated", "LabelledRows"}
    assert {"ModelLatency", "PSI", "DriftDetected"} <= named
    assert [metric for metric in named if metric not in text] == []


def test_the_dashboard_has_no_role_and_no_policy(resources: dict[str, Any]) -> None:
    kinds = {item["Type"] for id, item in resources.items() if id.startswith("Dashboard")}
    assert kinds == {"AWS::CloudWatch::Dashboard"}
