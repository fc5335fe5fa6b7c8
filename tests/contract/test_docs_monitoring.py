"""The page of monitoring: its permissions, alarms, checks, errors and metrics are those of the code."""

from __future__ import annotations

import inspect
import re
from typing import Any

import aws_cdk as cdk
import pytest

from cdk_ml_lens.monitoring import (
    baseline_states,
    drift_monitor,
    drift_states,
    drift_window,
    file_list,
    quality_monitor,
)
from examples import drift_monitor as example
from model_src.drift import judge, quality_run, report
from tests.contract.pages import section
from tests.contract.test_docs_tables import allowed


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    app = cdk.App()
    stack = example.build(app)
    found: dict[str, Any] = app.synth().get_stack_by_name(stack.stack_name).template["Resources"]
    return found


def test_permissions_are_those_of_the_template(resources: dict[str, Any]) -> None:
    listed = set(re.findall(r"`([a-z0-9-]+:[A-Z][A-Za-z0-9]+)`", section("monitoring", "Permissions")))
    assert listed == allowed(resources)


def test_alarms_are_those_of_the_constructs(resources: dict[str, Any]) -> None:
    alarms = {id: item["Properties"] for id, item in resources.items() if item["Type"] == "AWS::CloudWatch::Alarm"}
    ours = {alarm["MetricName"] for id, alarm in alarms.items() if "QuietAlarm" not in id}
    assert ours == set(re.findall(r"\| `\w+`[^|]* \| `(\w+)`", section("monitoring", "Alarms")))


def test_metrics_and_namespace_are_those_of_the_job() -> None:
    text = section("monitoring", "Alarms")
    counted = set(re.findall(r'"([A-Z]\w+)": ', inspect.getsource(report.metrics)))
    metrics = counted - {"Name", "Value"}
    assert metrics == {"Rows", "DriftDetected", "Violations"}
    assert [name for name in metrics if f"`{name}`" not in text] == []
    assert f"`{report.NAMESPACE}`" in text
    assert report.NAMESPACE == drift_monitor.NAMESPACE
    counted = set(re.findall(r'"([A-Z]\w+)"', inspect.getsource(quality_run._metrics)))
    assert counted == {"Rows", "LabelledRows", "QualityViolated"}
    assert [name for name in (*counted, quality_run.NAMESPACE) if f"`{name}`" not in text] == []
    assert quality_run.NAMESPACE == quality_monitor.NAMESPACE


def test_errors_and_events_are_those_of_the_machines() -> None:
    text = section("monitoring", "Alarms")
    source = "".join(inspect.getsource(module) for module in (baseline_states, drift_states, drift_window, file_list))
    errors = set(re.findall(r'"(\w+Failed)"', source)) - {"Failed"}
    assert errors == set(re.findall(r"`(\w+Failed)`", text)) - {"ExecutionsFailed"}
    events = {
        drift_monitor.DRIFTED,
        quality_monitor.VIOLATED,
        drift_states.FAILED,
        baseline_states.MADE,
        baseline_states.FAILED,
    }
    assert [event for event in events if f"`{event}`" not in text] == []


def test_checks_are_those_of_the_job() -> None:
    listed = set(re.findall(r"^\| `(\w+)` \|.+\|.+\|.+\|$", section("monitoring", "Overview"), re.MULTILINE))
    made = set(re.findall(r'check="(\w+)"|test\("(\w+)"', inspect.getsource(judge)))
    assert listed == {one or other for one, other in made}
