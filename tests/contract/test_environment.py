"""The handler's environment: what the construct sets is what the handler reads, by reading both sides."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import aws_cdk as cdk
import pytest

from cdk_ml_lens import Feature, Ingestion, ModelEndpoint, NotifyTopic, PredictionLog, RuleSql, Scoring, ScoringRule
from ml_lens_runtime import env
from ml_lens_runtime.env import Settings
from ml_lens_runtime.errors import ConfigurationError

WAYS = {"queued": Ingestion.queued(), "streamed": Ingestion.streamed(), "direct": Ingestion.direct()}


def variables(tmp_path: Path, way: str) -> dict[str, str]:
    """Return the variables of the synthesized function, tokens replaced by a word."""
    app = cdk.App(outdir=str(tmp_path / "out"))
    stack = cdk.Stack(app, "S")
    ScoringRule(
        stack,
        "Rule",
        sql=RuleSql(topic_filter="devices/+/telemetry"),
        scoring=Scoring(
            endpoint=ModelEndpoint.from_endpoint_name(stack, "m"), features=[Feature(name="temperature", minimum=0)]
        ),
        ingestion=WAYS[way],
        actions=[NotifyTopic(stack, "Alerts")],
        log=PredictionLog(stack, "Log"),
    )
    template = app.synth().get_stack_by_name("S").template
    (function,) = [res for res in template["Resources"].values() if res["Type"] == "AWS::Lambda::Function"]
    return {name: flat(value) for name, value in function["Properties"]["Environment"]["Variables"].items()}


def flat(value: object) -> str:
    if isinstance(value, dict) and "Fn::Join" in value:
        return "".join(flat(part) for part in value["Fn::Join"][1])
    return value if isinstance(value, str) else "token"


@pytest.mark.parametrize("way", WAYS)
def test_handler_understands_what_the_construct_sets(tmp_path: Path, way: str) -> None:
    given = variables(tmp_path, way)
    environment = Settings.parse(given)
    assert environment.endpoint_name == "m"
    assert [feature.name for feature in environment.features] == ["temperature"]


def test_handler_needs_no_variable_that_the_construct_does_not_set(tmp_path: Path) -> None:
    given = variables(tmp_path, "direct")
    required = {name for name in given if name in refusal({k: v for k, v in given.items() if k != name})}
    assert {"ENDPOINT_NAME", "FEATURES", "DEAD_LETTER_QUEUE_URL", "LEDGER_TABLE"} <= required


def test_handler_reads_no_variable_that_no_construct_sets(tmp_path: Path) -> None:
    given = {name: value for way in WAYS for name, value in variables(tmp_path / way, way).items()}
    assert refusal(given) == ""
    read = set(re.findall(r'"([A-Z][A-Z_]{3,})"', inspect.getsource(env)))
    assert read <= set(given), read - set(given)


def refusal(environment: dict[str, str]) -> str:
    """Return the handler's complaint about an environment, or nothing."""
    try:
        Settings.parse(environment)
    except ConfigurationError as error:
        return str(error)
    return ""
