"""Documentation of ETL: permission, alarm and rule tables are those of the constructs, not of the lake beside them."""

from __future__ import annotations

import importlib
import re
from typing import Any

import aws_cdk as cdk
import pytest

from cdk_ml_lens import QualityRule
from tests.contract.pages import section
from tests.contract.test_docs_tables import allowed

# Logical ids of what a page describes; the example of the feature group has a pipeline beside it.
OWN = {"etl": ("etl_job", ("Pipeline", "Archive")), "feature-group": ("feature_group", ("Group",))}
GRANTED = {"etl": set[str](), "feature-group": {"sagemaker:GetRecord", "sagemaker:BatchGetRecord"}}


@pytest.fixture(scope="module", params=OWN)
def page(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """Return a page and the resources that it describes."""
    name, prefixes = OWN[request.param]
    app = cdk.App()
    stack = importlib.import_module(f"examples.{name}").build(app)
    resources = app.synth().get_stack_by_name(stack.stack_name).template["Resources"]
    return request.param, {id: item for id, item in resources.items() if id.startswith(prefixes)}


def test_permission_tables_list_what_the_templates_allow(page: tuple[str, dict[str, Any]]) -> None:
    name, resources = page
    listed = set(re.findall(r"`([a-z0-9-]+:[A-Z][A-Za-z]+)`", section(name, "Permissions")))
    assert listed == allowed(resources) | GRANTED[name]


def test_alarm_tables_list_the_metrics_of_the_alarms(page: tuple[str, dict[str, Any]]) -> None:
    name, resources = page
    alarms = [item["Properties"] for item in resources.values() if item["Type"] == "AWS::CloudWatch::Alarm"]
    assert alarms
    assert [item["MetricName"] for item in alarms if f"`{item['MetricName']}`" not in section(name, "Alarms")] == []


def test_the_table_of_rules_shows_what_they_render() -> None:
    rows = re.findall(r"^\| `\.(\w+)\((.*)\)` \| `(.+)` \|$", section("etl", "Usage"), re.MULTILINE)
    assert len(rows) == 6
    for name, arguments, text in rows:
        assert eval(f"rule.{name}({arguments})", {"rule": QualityRule}).text == text
