"""SM10: endpoints that are asked to be available have two instances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cdk_ml_lens.review import endpoints
from cdk_ml_lens.review.intrinsics import known_number, text
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Resource, Template

TAG, ASKED = "ml-lens:availability", "high"


def check(template: Template) -> Iterator[Finding]:
    """Find variants with traffic and fewer than two instances, where ``ml-lens:availability=high``."""
    for endpoint, config in endpoints.pairs(template):
        if not (_is_asked(endpoint) or _is_asked(config)):
            continue
        for variant in endpoints.variants(config):
            count = known_number(variant.get("InitialInstanceCount"))
            if count is not None and count < 2 and _takes_traffic(variant):
                name = endpoints.variant_name(variant)
                message = f"variant {name} starts with {count:g} instance"
                yield Finding(logical_id=endpoint.logical_id, message=message, detail=name)


def _is_asked(resource: Resource) -> bool:
    return any(text(tag.get("Key")) == TAG and tag.get("Value") == ASKED for tag in resource.blocks("Tags"))


def _takes_traffic(variant: Mapping[str, Any]) -> bool:
    return known_number(variant.get("InitialVariantWeight", 1)) != 0


RULE = Rule(
    id="SM10",
    title="Endpoints that are asked to be available have two instances",
    practices=("MLREL05-BP02",),
    severity=Severity.ERROR,
    explanation="One instance is in one zone: when the zone or the host fails, the endpoint does.",
    fix="Set InitialInstanceCount and the scalable target's MinCapacity to 2 or more, or drop the tag.",
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-best-practices.html",
    check=check,
)
