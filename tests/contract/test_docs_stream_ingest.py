"""The page of stream ingest: its permissions, alarms, reasons and counts are those of the code."""

from __future__ import annotations

import inspect
import re
from typing import Any

import aws_cdk as cdk
import pytest

from examples import stream_ingest
from handlers import replay_records, transform_readings
from ml_lens_runtime import readings, rule_record, strict_json, table_row
from tests.contract.pages import section
from tests.contract.test_docs_tables import allowed

OURS = ("Ingest", "Archive", "Presses")


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    app = cdk.App()
    stack = stream_ingest.build(app)
    found = app.synth().get_stack_by_name(stack.stack_name).template["Resources"]
    return {id: resource for id, resource in found.items() if id.startswith(OURS)}


def test_permissions_are_those_of_the_template(resources: dict[str, Any]) -> None:
    listed = set(re.findall(r"`([a-z0-9-]+:[A-Z][A-Za-z0-9]+)`", section("stream-ingest", "Permissions")))
    granted_to_callers = {"states:StartExecution", "kinesis:PutRecord"}  # the archive of the example is direct
    assert listed == allowed(resources) | granted_to_callers


def test_alarms_are_those_of_the_template(resources: dict[str, Any]) -> None:
    text = section("stream-ingest", "Alarms")
    alarms = [item["Properties"] for item in resources.values() if item["Type"] == "AWS::CloudWatch::Alarm"]
    example = {"IncomingRecords"}
    assert {alarm["MetricName"] for alarm in alarms} - example == set(re.findall(r"`([A-Z][\w.]+)`", text)) - {
        "Table",
        "TelemetryArchive",
    }


def test_reasons_are_those_of_the_code() -> None:
    text = section("stream-ingest", "Usage").partition("### What the transform does")[2].partition("### Errors")[0]
    listed = {name for line in text.splitlines() if line.startswith("| `") for name in re.findall(r"`(\w+)`", line)}
    modules = (readings, rule_record, strict_json, table_row, transform_readings)
    named = "".join(inspect.getsource(module) for module in modules)
    raised = set(re.findall(r'ReadingError\(\s*"(\w+)"', named)) - {"missing_feature", "out_of_range"}
    assert listed - {"timestamp", "reading_id"} == raised


def test_counts_are_those_of_the_replay() -> None:
    text = section("stream-ingest", "Usage").partition("### Replay")[2]
    first = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    assert {name for cell in first for name in re.findall(r"`(\w+)`", cell)} == {*replay_records.COUNTS, "complete"}
