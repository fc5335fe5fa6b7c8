"""The handler's environment: what the construct sets is what the handler reads, by reading both sides."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3

from cdk_ml_lens import (
    Feature,
    FeatureSet,
    Ingestion,
    ModelEndpoint,
    Normalisation,
    NormalisationArtifact,
    NotifyTopic,
    PredictionLog,
    RuleSql,
    Scoring,
    ScoringRule,
    Sensor,
)
from ml_lens_features.definition import FeatureSet as KernelFeatureSet
from ml_lens_runtime import env, window_env
from ml_lens_runtime.env import Settings
from ml_lens_runtime.errors import ConfigurationError

TURBINE = FeatureSet.standard(
    sensors=[Sensor(name="temperature", minimum=-60, maximum=200), Sensor(name="vibration", factor=0.5, offset=1)],
    normalisation=Normalisation(method="standard"),
)
WAYS = {"queued": Ingestion.queued(), "streamed": Ingestion.streamed(), "direct": Ingestion.direct()}


def variables(tmp_path: Path, way: str, *, feature_set: FeatureSet | None = None) -> dict[str, str]:
    """Return the variables of the synthesized function, tokens replaced by a word."""
    app = cdk.App(outdir=str(tmp_path / "out"))
    stack = cdk.Stack(app, "S")
    ScoringRule(
        stack,
        "Rule",
        sql=RuleSql(topic_filter="devices/+/telemetry"),
        scoring=scoring(stack, feature_set),
        ingestion=WAYS[way],
        actions=[NotifyTopic(stack, "Alerts")],
        log=PredictionLog(stack, "Log"),
    )
    template = app.synth().get_stack_by_name("S").template
    (function,) = [res for res in template["Resources"].values() if res["Type"] == "AWS::Lambda::Function"]
    return {name: flat(value) for name, value in function["Properties"]["Environment"]["Variables"].items()}


def scoring(stack: cdk.Stack, feature_set: FeatureSet | None) -> Scoring:
    endpoint = ModelEndpoint.from_endpoint_name(stack, "m")
    if feature_set is None:
        return Scoring(endpoint=endpoint, features=[Feature(name="temperature", minimum=0)])
    bucket = s3.Bucket.from_bucket_name(stack, "Artifacts", "artifacts")
    parameters = NormalisationArtifact(bucket=bucket, key="normalisation/abc.json")
    return Scoring(endpoint=endpoint, features=feature_set, normalisation=parameters)


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
    windows = variables(tmp_path / "windows", "queued", feature_set=TURBINE)
    assert refusal(windows) == ""
    read = {name for part in (env, window_env) for name in re.findall(r'"([A-Z][A-Z_]{3,})"', inspect.getsource(part))}
    assert read == {*given, *windows}


def test_scorer_and_kernel_read_the_same_feature_set(tmp_path: Path) -> None:
    online = Settings.parse(variables(tmp_path, "queued", feature_set=TURBINE))
    offline = KernelFeatureSet.parse(TURBINE.render())
    assert online.windows is not None
    given = online.windows.definition
    assert given.names == TURBINE.names == tuple(feature.name for feature in offline.features)
    assert tuple(feature.name for feature in online.features) == TURBINE.names
    seconds = [TURBINE.overlap_seconds, offline.overlap_seconds, given.lookback // 1000]
    assert seconds == [3600] * 3
    for ours, kernels, declared in zip(given.features, offline.features, TURBINE.features, strict=True):
        fields = ("sensor", "statistic", "minimum_readings", "null_value")
        values = [[getattr(one, name) for name in fields] for one in (ours, kernels, declared)]
        assert values[0] == values[1] == values[2]
        assert ours.window == 1000 * kernels.window_seconds == 1000 * declared.window_seconds
    for rule, sensor, one in zip(given.sensors, offline.sensors, TURBINE.sensors, strict=True):
        values = [[getattr(x, name) for name in vars(one)] for x in (rule, sensor, one)]
        assert values[0] == values[1] == values[2]
    rules, cleaning = given.cleaning, vars(TURBINE.cleaning)
    assert cleaning == vars(offline.cleaning)
    assert [rules.allowed_lateness, rules.future_tolerance, rules.hold] == [1000 * s for s in cleaning.values()]
    method = (TURBINE.normalisation.method, TURBINE.normalisation.per)
    assert method == (offline.normalisation.method, offline.normalisation.per) == (given.method, "device")


def refusal(environment: dict[str, str]) -> str:
    """Return the handler's complaint about an environment, or nothing."""
    try:
        Settings.parse(environment)
    except ConfigurationError as error:
        return str(error)
    return ""
