"""The registry's page: its permissions, alarms and ends are those of the example's template."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from cdk_ml_lens.hosting import deploy_asl
from tests.contract.pages import ROOT, section
from tests.unit.templates import Template

# Of every state machine and function of ours; the page of the core names them.
COMMON = ("logs:", "xray:", "ecr:", "cloudwatch:PutMetricData")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    app = cdk.App(outdir=str(tmp_path_factory.mktemp("out")))
    stack = importlib.import_module("examples.registry").build(app)
    return Template(app.synth().get_stack_by_name(stack.stack_name).template)


def test_every_action_of_the_roles_is_on_the_page(template: Template) -> None:
    page = section("registry", "Permissions")
    allowed = {action for action in template.actions() if not action.startswith(COMMON)}
    assert {action for action in allowed if f"`{action}`" not in page} == set()


def test_no_action_is_on_the_page_that_nobody_has(template: Template) -> None:
    named = set(re.findall(r"`([a-z0-9]+:[A-Z][A-Za-z]+)`", section("registry", "Permissions")))
    policies = json.dumps([item["Properties"] for item in template.resources.values() if "Properties" in item])
    assert {action for action in named if action not in policies} == set()


def test_every_alarm_is_on_the_page(template: Template) -> None:
    page = section("registry", "Alarms")
    metrics = {item["Properties"]["MetricName"] for item in template.of_type("AWS::CloudWatch::Alarm").values()}
    assert {metric for metric in metrics if f"`{metric}`" not in page} == set()


def test_every_error_is_in_the_table_of_ends() -> None:
    sources = [ROOT / "lambda_src" / "handlers" / "prepare_deployment.py"]
    sources += [ROOT / "lambda_src" / "ml_lens_runtime" / f"{name}.py" for name in ("manifest", "model_versions")]
    named = {name for path in sources for name in re.findall(r"^class (\w+Error)", path.read_text(), re.MULTILINE)}
    folder = Path(deploy_asl.__file__).parent
    for name in ("deploy_start", "deploy_end"):
        text = (folder / f"{name}.py").read_text()
        named |= set(re.findall(r'(?:failed\(|error=|"error": )"(\w+)"', text))
    usage = section("registry", "Usage")
    assert {name for name in named if f"`{name}`" not in usage} == set()


def test_the_events_are_those_of_the_definition() -> None:
    usage: Any = section("registry", "Usage")
    for text in (deploy_asl.SOURCE, deploy_asl.SUCCEEDED, deploy_asl.FAILURE):
        assert f"`{text}`" in usage


def test_the_command_looks_for_the_tag_that_the_construct_sets() -> None:
    from cdk_ml_lens.hosting.rebuild_endpoint import REBUILDS_TAG
    from cdk_ml_lens.local.cli_rebuild import TAG

    assert TAG == REBUILDS_TAG
