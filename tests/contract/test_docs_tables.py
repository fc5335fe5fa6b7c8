"""Documentation: the permission and alarm tables are those of the synthesized examples."""

from __future__ import annotations

import importlib
import re
from typing import Any

import aws_cdk as cdk
import pytest

from tests.contract.pages import CONSTRUCT_PAGES, section

# Granted by examples to roles of their own, not by the constructs.
NOT_OURS = ("HookRole", "Writer", "Client")


@pytest.fixture(scope="module")
def templates() -> dict[str, dict[str, Any]]:
    """Return the resources of every example's template."""
    names = [name for names in CONSTRUCT_PAGES.values() for name in names]
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        app = cdk.App()
        stack = importlib.import_module(f"examples.{name}").build(app)
        found[name] = app.synth().get_stack_by_name(stack.stack_name).template["Resources"]
    return found


def allowed(resources: dict[str, Any]) -> set[str]:
    """Return every action that a role policy or an IoT policy of ours allows."""
    found: set[str] = set()
    for id, resource in resources.items():
        if resource["Type"] not in ("AWS::IAM::Policy", "AWS::IoT::Policy") or id.startswith(NOT_OURS):
            continue
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
            action = statement["Action"]
            found |= {action} if isinstance(action, str) else set(action)
    return found


@pytest.mark.parametrize("page", ["iot", "hosting", "batch-transform", "inference-api", "network", "data-lake"])
def test_permission_tables_list_what_the_templates_allow(page: str, templates: dict[str, dict[str, Any]]) -> None:
    listed = set(re.findall(r"`([a-z0-9-]+:[A-Z][A-Za-z]+)`", section(page, "Permissions")))
    synthesized = {action for name in CONSTRUCT_PAGES[page] for action in allowed(templates[name])}
    granted_to_callers = {"sagemaker:InvokeEndpoint"} if page == "hosting" else set[str]()
    assert listed == synthesized | granted_to_callers


def test_the_pattern_adds_no_action_to_those_of_its_parts(templates: dict[str, dict[str, Any]]) -> None:
    parts = {
        action for page in ("iot", "hosting") for name in CONSTRUCT_PAGES[page] for action in allowed(templates[name])
    }
    assert allowed(templates["iot_inference"]) <= parts
    roles = [resource for resource in templates["iot_inference"].values() if resource["Type"] == "AWS::IAM::Role"]
    assert len(roles) == 5  # as docs/patterns.md says


@pytest.mark.parametrize("page", ["iot", "hosting", "batch-transform", "inference-api", "network", "data-lake"])
def test_alarm_tables_list_the_metrics_of_the_alarms(page: str, templates: dict[str, dict[str, Any]]) -> None:
    text = section(page, "Alarms")
    for name in CONSTRUCT_PAGES[page]:
        for resource in templates[name].values():
            if resource["Type"] == "AWS::CloudWatch::Alarm":
                metric = resource["Properties"]["MetricName"]
                assert f"`{metric}`" in text or f'metric="{metric}"' in text, metric


def test_window_features_add_what_their_page_lists(templates: dict[str, dict[str, Any]]) -> None:
    listed = set(re.findall(r"`([a-z0-9-]+:[A-Z][A-Za-z]+)`", section("window-features", "Permissions")))
    added = allowed(templates["window_features"]) - allowed(templates["scoring_rule"])
    assert added == {"dynamodb:Query", "s3:GetObject"}
    assert added <= listed <= allowed(templates["window_features"])


def test_the_pattern_page_counts_the_alarms(templates: dict[str, dict[str, Any]]) -> None:
    alarms = [res for res in templates["iot_inference"].values() if res["Type"] == "AWS::CloudWatch::Alarm"]
    assert len(alarms) == 10
    assert (
        section("patterns", "Alarms").strip().startswith("Ten with one variant: seven of the rule, one of the log, two")
    )
