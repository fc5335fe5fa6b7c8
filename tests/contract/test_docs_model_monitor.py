"""The page of SageMaker AI's own monitor: types and permissions are those of the example, the notice is the code's."""

from __future__ import annotations

import re
from typing import Any

import aws_cdk as cdk
import pytest

from cdk_ml_lens.monitoring.model_monitor import CLOSED
from examples import model_monitor as example
from tests.contract.pages import ROOT, section
from tests.contract.test_docs_tables import allowed

OWN = ("Requests", "Answers", "Bias", "Attributions")


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    app = cdk.App()
    stack = example.build(app)
    found: dict[str, Any] = app.synth().get_stack_by_name(stack.stack_name).template["Resources"]
    return {id: item for id, item in found.items() if id.startswith(OWN)}


def test_permissions_are_those_of_the_template(resources: dict[str, Any]) -> None:
    listed = set(re.findall(r"`([a-z0-9-]+:[A-Z][A-Za-z0-9]+)`", section("model-monitor", "Permissions")))
    assert listed == allowed(resources)


def test_types_are_those_of_the_template(resources: dict[str, Any]) -> None:
    listed = set(re.findall(r"`(AWS::SageMaker::\w+)`", section("model-monitor", "Overview")))
    assert listed == {item["Type"] for item in resources.values() if item["Type"].startswith("AWS::SageMaker::")}


def test_the_page_begins_with_the_notice_and_names_the_warning() -> None:
    text = (ROOT / "docs" / "model-monitor.md").read_text(encoding="utf-8")
    assert "closed to new customers" in text.partition("## Overview")[0]
    assert f"`{CLOSED}`" in text


def test_the_example_acknowledges_every_notice() -> None:
    app = cdk.App()
    example.build(app)
    messages = [message.entry.data for stack in app.synth().stacks for message in stack.messages]
    assert [text for text in messages if CLOSED in str(text)] == []
