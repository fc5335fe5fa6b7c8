"""Scoring by a feature set: the window table, its grants, the normalisation artifact, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from cdk_ml_lens import (
    Feature,
    FeatureSet,
    ModelEndpoint,
    Normalisation,
    NormalisationArtifact,
    PropError,
    RuleSql,
    Scoring,
    ScoringRule,
    Sensor,
    WindowFeature,
)
from tests.unit.templates import Template

PLAIN = FeatureSet.standard(sensors=[Sensor(name="temperature")])
NORMALISED = FeatureSet.standard(sensors=[Sensor(name="temperature")], normalisation=Normalisation(method="standard"))
Synth = Callable[[cdk.Stack], Template]


def make(stack: cdk.Stack, feature_set: FeatureSet, artifact: NormalisationArtifact | None = None) -> ScoringRule:
    endpoint = ModelEndpoint.from_endpoint_name(stack, "model")
    return ScoringRule(
        stack,
        "Rule",
        sql=RuleSql(topic_filter="devices/+/telemetry"),
        scoring=Scoring(endpoint=endpoint, features=feature_set, normalisation=artifact),
    )


def artifact_in(stack: cdk.Stack) -> NormalisationArtifact:
    bucket = s3.Bucket(stack, "Artifacts", encryption_key=kms.Key(stack, "ArtifactKey"))
    return NormalisationArtifact(bucket=bucket, key="_artifacts/normalisation/abc.json")


def window_tables(template: Template) -> list[tuple[str, dict[str, object]]]:
    tables = template.of_type("AWS::DynamoDB::Table")
    return [(id, table) for id, table in tables.items() if len(table["Properties"]["KeySchema"]) == 2]


def test_a_feature_set_brings_a_table_of_windows(stack: cdk.Stack, synth: Synth) -> None:
    rule = make(stack, PLAIN)
    template = synth(stack)
    ((id, table),) = window_tables(template)
    properties = template.resources[id]["Properties"]
    assert [(key["AttributeName"], key["KeyType"]) for key in properties["KeySchema"]] == [
        ("device_id", "HASH"),
        ("event_time", "RANGE"),
    ]
    assert properties["AttributeDefinitions"][1] == {"AttributeName": "event_time", "AttributeType": "N"}
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert properties["SSESpecification"]["SSEType"] == "KMS"
    assert table["DeletionPolicy"] == "Delete"
    variables = template.only("AWS::Lambda::Function")["Environment"]["Variables"]
    assert variables["WINDOW_TABLE"] == {"Ref": id}
    assert "FEATURES" not in variables
    assert rule.scorer.windows is not None


def test_the_scorer_may_put_and_query_the_windows_and_nothing_else(stack: cdk.Stack, synth: Synth) -> None:
    make(stack, PLAIN)
    template = synth(stack)
    ((id, _),) = window_tables(template)
    on_table = [s for s in template.statements("Scorer") if s["Resource"] == {"Fn::GetAtt": [id, "Arn"]}]
    assert [statement["Action"] for statement in on_table] == [["dynamodb:PutItem", "dynamodb:Query"]]
    assert "s3:GetObject" not in template.actions("Scorer")


def test_normalisation_grants_one_object_and_its_key(stack: cdk.Stack, synth: Synth) -> None:
    make(stack, NORMALISED, artifact_in(stack))
    template = synth(stack)
    (statement,) = [s for s in template.statements("Scorer") if s["Action"] == "s3:GetObject"]
    assert statement["Resource"]["Fn::Join"][1][-1] == "/_artifacts/normalisation/abc.json"
    keys = [s["Resource"] for s in template.statements("Scorer") if s["Action"] == "kms:Decrypt"]
    assert any("ArtifactKey" in str(resource) for resource in keys)
    variables = template.only("AWS::Lambda::Function")["Environment"]["Variables"]
    assert variables["NORMALISATION_KEY"] == "_artifacts/normalisation/abc.json"
    assert "Artifacts" in str(variables["NORMALISATION_BUCKET"])


def test_plain_features_bring_no_table(stack: cdk.Stack, synth: Synth) -> None:
    endpoint = ModelEndpoint.from_endpoint_name(stack, "model")
    scoring = Scoring(endpoint=endpoint, features=[Feature(name="temperature")])
    rule = ScoringRule(stack, "Rule", sql=RuleSql(topic_filter="a/+"), scoring=scoring)
    template = synth(stack)
    assert window_tables(template) == []
    assert rule.scorer.windows is None
    names = set(template.only("AWS::Lambda::Function")["Environment"]["Variables"])
    assert not names & {"FEATURE_SET", "WINDOW_TABLE", "NORMALISATION_BUCKET", "NORMALISATION_KEY"}


def test_the_variables_of_sixteen_sensors_fit_a_function(stack: cdk.Stack, synth: Synth) -> None:
    sensors = [Sensor(name=f"bearing_{n}_temperature", minimum=-40 - n, maximum=150 + n) for n in range(16)]
    make(stack, FeatureSet.standard(sensors=sensors))
    variables = synth(stack).only("AWS::Lambda::Function")["Environment"]["Variables"]
    assert sum(len(name) + len(str(value)) for name, value in variables.items()) < 4096


def scoring_with(stack: cdk.Stack, **props: object) -> Scoring:
    return Scoring(endpoint=ModelEndpoint.from_endpoint_name(stack, "model"), **props)  # type: ignore[arg-type]


def test_fails_on_features_that_can_be_null(stack: cdk.Stack) -> None:
    rate = WindowFeature(name="rate", statistic="rate", sensor="temperature", window_seconds=60)
    features = FeatureSet(sensors=[Sensor(name="temperature")], features=[rate])
    with pytest.raises(PropError, match="features must never be null .* got \\['rate'\\]; set a null_value, or hold"):
        scoring_with(stack, features=features)


def test_fails_on_more_features_than_a_function_can_be_told_of(stack: cdk.Stack) -> None:
    features = FeatureSet.standard(sensors=[Sensor(name=f"sensor_{n * 7919}", offset=n / 7) for n in range(100)])
    with pytest.raises(PropError, match="features must take at most 2560 bytes when packed, .*; use fewer features"):
        scoring_with(stack, features=features)


def test_fails_on_normalised_features_without_their_parameters(stack: cdk.Stack) -> None:
    with pytest.raises(PropError, match="normalisation must name the parameters of features .* 'standard'"):
        scoring_with(stack, features=NORMALISED)


@pytest.mark.parametrize("features", [PLAIN, [Feature(name="temperature")]])
def test_fails_on_parameters_that_nothing_uses(stack: cdk.Stack, features: object) -> None:
    with pytest.raises(PropError, match="normalisation must be left out"):
        scoring_with(stack, features=features, normalisation=artifact_in(stack))


@pytest.mark.parametrize("key", ["", "/a.json", "a" * 1025])
def test_fails_on_a_key_that_is_none(stack: cdk.Stack, key: str) -> None:
    with pytest.raises(PropError, match="key must be an object key"):
        NormalisationArtifact(bucket=s3.Bucket.from_bucket_name(stack, "B", "artifacts"), key=key)


def test_nag_is_clean(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "B", "artifacts")
    make(stack, NORMALISED, NormalisationArtifact(bucket=bucket, key="a.json"))
    assert nag(stack) == []
