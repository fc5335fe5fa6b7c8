"""OPS6: instances are of a generation that AWS still builds on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cdk_ml_lens.review import jobs
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template

_SUCCESSORS = {"m4": "m7g", "c4": "c7g", "r4": "r7g", "t2": "t3", "p2": "g6", "p3": "p5 or g6", "p3dn": "p5 or g6"}
_TYPE = re.compile(r"ml\.([a-z0-9]+)\.")


def check(template: Template) -> Iterator[Finding]:
    """Find instance types of previous generations in resources of SageMaker and in the jobs of definitions."""
    places = [
        (one.logical_id, one.properties)
        for one in template.resources.values()
        if one.type.startswith("AWS::SageMaker::") and one.type != jobs.PIPELINE
    ]
    places += [(job.owner.logical_id, job.arguments) for job in jobs.of(template) if job.service == "sagemaker"]
    for logical_id, instance in dict.fromkeys((place, name) for place, body in places for name in _types(body)):
        found = _TYPE.match(instance)
        if found is not None and found[1] in _SUCCESSORS:
            yield Finding(
                logical_id=logical_id,
                message=f"{instance} is of a previous generation; try {_SUCCESSORS[found[1]]}",
                detail=f"Type::{instance}",
            )


def _types(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from [inner] if key == "InstanceType" and isinstance(inner, str) else _types(inner)
    elif isinstance(value, list):
        for item in value:
            yield from _types(item)


RULE = Rule(
    id="OPS6",
    title="Instances are of a current generation",
    practices=("MLPERF04-BP01", "MLCOST05-BP02", "MLSUS05-BP02"),
    severity=Severity.WARNING,
    explanation="The same work takes longer, more money and more energy, and capacity of old types runs out.",
    fix="Set InstanceType to the family that the finding names, and measure it with your model.",
    source="https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-types.html",
    check=check,
)
