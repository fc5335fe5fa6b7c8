"""Endpoints of a template as the rules see them: which configuration, which variants, by which names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cdk_ml_lens.review import intrinsics
from cdk_ml_lens.review.template import Resource, Template

CONFIG = "AWS::SageMaker::EndpointConfig"
ENDPOINT = "AWS::SageMaker::Endpoint"
_ELSEWHERE = "${Fn::"  # an import of another stack, a condition, a lookup
_ALARM = "AWS::CloudWatch::Alarm"


def pairs(template: Template) -> Iterator[tuple[Resource, Resource]]:
    """Yield each endpoint with its configuration, where that is in the same template."""
    for endpoint in template.of_type(ENDPOINT):
        config = template.target(endpoint.get("EndpointConfigName"))
        if config is not None and config.type == CONFIG:
            yield endpoint, config


def variants(config: Resource) -> list[Mapping[str, Any]]:
    """Return the production variants."""
    return config.blocks("ProductionVariants")


def is_serverless(variant: Mapping[str, Any]) -> bool:
    """Tell whether a variant has no instances of its own."""
    return "ServerlessConfig" in variant


def hosts_components(variant: Mapping[str, Any]) -> bool:
    """Tell whether a variant is only the instances below inference components."""
    return "ModelName" not in variant


def variant_name(variant: Mapping[str, Any]) -> str:
    """Return a variant's name as text."""
    return intrinsics.text(variant.get("VariantName"))


def names(endpoint: Resource) -> frozenset[str]:
    """Return the texts by which other resources name an endpoint."""
    given = endpoint.get("EndpointName")
    known = set() if given is None else {intrinsics.text(given)}
    return frozenset(known | {f"${{{endpoint.logical_id}.EndpointName}}", f"${{{endpoint.logical_id}}}"})


def may_name(text: str, endpoint: Resource) -> bool:
    """Tell whether a text names an endpoint, or could: what another stack exports is not known here."""
    return text in names(endpoint) or text.startswith(_ELSEWHERE)


def has_scaling(template: Template, endpoint: Resource, variant: Mapping[str, Any]) -> bool:
    """Tell whether a variant's capacity follows its load: Application Auto Scaling, managed scaling or serverless."""
    if is_serverless(variant) or variant.get("ManagedInstanceScaling", {}).get("Status") == "ENABLED":
        return True
    wanted = variant_name(variant)
    for target in template.everywhere("AWS::ApplicationAutoScaling::ScalableTarget"):
        found = re.fullmatch(r"endpoint/(.+)/variant/(.+)", intrinsics.text(target.get("ResourceId")))
        if found and may_name(found[1], endpoint) and found[2] in (wanted, "${Fn::ImportValue}"):
            return True
    return False


def alarmed_metrics(template: Template, endpoint: Resource, variant: Mapping[str, Any]) -> set[str]:
    """Return the metrics of a variant that alarms of the app watch."""
    wanted = variant_name(variant)
    found = set()
    for alarm in template.everywhere(_ALARM):
        for metric, dimensions in _watched(alarm):
            if may_name(dimensions.get("EndpointName", ""), endpoint) and dimensions.get("VariantName") == wanted:
                found.add(metric)
    return found


def _watched(alarm: Resource) -> Iterator[tuple[str, dict[str, str]]]:
    stats = [intrinsics.at(query, "MetricStat.Metric") for query in alarm.blocks("Metrics")]
    for metric in (alarm.properties, *(stat for stat in stats if isinstance(stat, Mapping))):
        dimensions = metric.get("Dimensions") or []
        if "MetricName" in metric and isinstance(dimensions, list):
            yield intrinsics.text(metric["MetricName"]), {d["Name"]: intrinsics.text(d["Value"]) for d in dimensions}
