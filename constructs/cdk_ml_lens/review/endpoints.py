"""Endpoints of a template as the rules see them: which configuration, which variants, by which names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cdk_ml_lens.review import intrinsics
from cdk_ml_lens.review.template import Resource, Template

CONFIG = "AWS::SageMaker::EndpointConfig"
ENDPOINT = "AWS::SageMaker::Endpoint"
_ALARM = "AWS::CloudWatch::Alarm"
_TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"


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


def variant_name(variant: Mapping[str, Any]) -> str:
    """Return a variant's name as text."""
    return intrinsics.text(variant.get("VariantName"))


def has_scaling(template: Template, endpoint: Resource, variant: Mapping[str, Any]) -> bool:
    """Tell whether a variant's capacity follows its load: Application Auto Scaling, managed scaling or serverless."""
    if is_serverless(variant) or variant.get("ManagedInstanceScaling", {}).get("Status") == "ENABLED":
        return True
    wanted = variant_name(variant)
    return template.is_open(wanted) or any(
        _scales(owner, target, _names(owner, template, endpoint), wanted)
        for owner in (template, *template.others)
        for target in owner.of_type(_TARGET)
    )


def is_watched(template: Template, endpoint: Resource, variant: Mapping[str, Any], metric: str) -> bool:
    """Tell whether an alarm of the app watches a metric of a variant, or could."""
    wanted = variant_name(variant)
    if template.is_open(wanted):
        return True
    for owner in (template, *template.others):
        allowed = {"MetricName": {metric}, "VariantName": {wanted}, "EndpointName": _names(owner, template, endpoint)}
        for given in (one for alarm in owner.of_type(_ALARM) for one in _watched(alarm)):
            if all(given.get(name) in texts or owner.is_open(given.get(name)) for name, texts in allowed.items()):
                return True
    return False


def _names(owner: Template, home: Template, endpoint: Resource) -> set[str]:
    """Return the texts by which resources of ``owner`` name an endpoint of ``home``."""
    given = endpoint.get("EndpointName")
    known = set() if given is None else {intrinsics.text(given)}
    if owner is home:
        known |= {f"${{{endpoint.logical_id}.EndpointName}}", f"${{{endpoint.logical_id}}}"}
    return known


def _scales(owner: Template, target: Resource, names: set[str], variant: str) -> bool:
    text = intrinsics.text(target.get("ResourceId"))
    found = re.fullmatch(r"endpoint/(.+)/variant/(.+)", text)
    if found is None:
        return "/" not in text and owner.is_open(text)
    named = found[1] in names or owner.is_open(found[1])
    return named and (found[2] == variant or owner.is_open(found[2]))


def _watched(alarm: Resource) -> Iterator[dict[str, str]]:
    """Yield metric and dimensions of each metric that an alarm reads; dimensions that are not known stand for any."""
    stats = [intrinsics.at(query, "MetricStat.Metric") for query in alarm.blocks("Metrics")]
    for metric in (alarm.properties, *(stat for stat in stats if isinstance(stat, Mapping))):
        if "MetricName" in metric:
            yield {"MetricName": intrinsics.text(metric["MetricName"])} | _dimensions(metric.get("Dimensions"))


def _dimensions(given: Any) -> dict[str, str]:
    known: dict[str, str] = {}
    for one in intrinsics.each_value(given):
        if intrinsics.intrinsic(one) or intrinsics.intrinsic(one.get("Name")):
            known = dict.fromkeys(("EndpointName", "VariantName"), intrinsics.text({"Fn::If": []})) | known
        else:
            known[one["Name"]] = intrinsics.text(one.get("Value"))
    return known
