"""Rules on the capacity of endpoints and on the alarms of variants."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.review.endpoint_parts import (
    MANAGED,
    PARAMETER,
    SERVERLESS,
    SHARED,
    VARIANT,
    endpoint,
)
from tests.unit.review.reports import findings


def target(resource: Any) -> dict[str, Any]:
    return {"T": ("AWS::ApplicationAutoScaling::ScalableTarget", {"ResourceId": resource})}


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({}, ["E[a]"]),
        (target("endpoint/live/variant/a"), []),
        (target("endpoint/live/variant/b"), ["E[a]"]),
        (target("endpoint/other/variant/a"), ["E[a]"]),
        (target({"Fn::Sub": "endpoint/${E.EndpointName}/variant/a"}), []),
        (target({"Fn::Join": ["/", ["endpoint", {"Fn::ImportValue": "X"}, "variant", "a"]]}), []),
    ],
)
def test_each_variant_scales(more: Any, found: list[str]) -> None:
    assert findings("SM9", endpoint() | more) == found


def test_the_variant_without_a_target_is_named() -> None:
    two = endpoint(VARIANT, VARIANT | {"VariantName": "b"})
    assert findings("SM9", two | target("endpoint/live/variant/a")) == ["E[b]"]


def test_a_target_in_another_stack_counts() -> None:
    assert findings("SM9", endpoint(), target("endpoint/live/variant/a")) == []


@pytest.mark.parametrize("variant", [SERVERLESS, SHARED | MANAGED])
def test_serverless_and_managed_scaling_count_as_scaling(variant: Any) -> None:
    assert findings("SM9", endpoint(variant)) == []


def test_instances_below_components_scale_too() -> None:
    assert findings("SM9", endpoint(SHARED)) == ["E[a]"]


@pytest.mark.parametrize(
    ("count", "weight", "tag", "found"),
    [
        (1, 1, "high", ["E[a]"]),
        ("1", 1, "high", ["E[a]"]),
        (2, 1, "high", []),
        (PARAMETER, 1, "high", []),
        (1, 0, "high", []),
        (1, 1, "standard", []),
    ],
)
def test_two_instances_where_the_tag_asks_for_them(count: Any, weight: int, tag: str, found: list[str]) -> None:
    variant = VARIANT | {"InitialInstanceCount": count, "InitialVariantWeight": weight}
    tags = [{"Key": "ml-lens:availability", "Value": tag}]
    assert findings("SM10", endpoint(variant, Tags=tags)) == found


def alarm(id: str, **properties: Any) -> dict[str, Any]:
    return {id: ("AWS::CloudWatch::Alarm", properties)}


def dimensions(name: Any) -> list[dict[str, Any]]:
    return [{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": "a"}]


def test_each_variant_has_alarms_on_errors_and_latency() -> None:
    assert findings("SM11", endpoint()) == ["E[a.Invocation5XXErrors]", "E[a.ModelLatency]"]
    errors = alarm("A", MetricName="Invocation5XXErrors", Dimensions=dimensions("live"))
    assert findings("SM11", endpoint() | errors) == ["E[a.ModelLatency]"]
    stat = {
        "MetricStat": {"Metric": {"MetricName": "ModelLatency", "Dimensions": dimensions({"Fn::ImportValue": "N"})}}
    }
    assert findings("SM11", endpoint() | errors, alarm("B", Metrics=[{"Id": "e", "Expression": "m"}, stat])) == []


def component(**properties: Any) -> dict[str, Any]:
    return {"I": ("AWS::SageMaker::InferenceComponent", {"InferenceComponentName": "c"} | properties)}


def test_components_scale_except_adapters() -> None:
    assert findings("SM16", component()) == ["I"]
    assert findings("SM16", component() | target("inference-component/c")) == []
    assert findings("SM16", component(Specification={"BaseInferenceComponentName": "base"})) == []


def test_what_watches_an_endpoint_of_the_same_id_in_another_stack_does_not_count() -> None:
    own = {"Fn::GetAtt": ["E", "EndpointName"]}
    watches = alarm("A", MetricName="ModelLatency", Dimensions=dimensions(own))
    other = endpoint(EndpointName={"Ref": "AWS::StackName"})
    scales = target({"Fn::Sub": "endpoint/${E.EndpointName}/variant/a"})
    assert findings("SM9", endpoint(), other | scales) == ["E[a]"]
    assert "E[a.ModelLatency]" in findings("SM11", endpoint(), other | watches)
