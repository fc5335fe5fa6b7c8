"""SM12: images of models are pinned by digest or come from AWS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from cdk_ml_lens.core.image_registries import DEEP_LEARNING, FRAMEWORKS, RANDOM_CUT_FOREST
from cdk_ml_lens.review.intrinsics import text
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template

_AWS = frozenset((*FRAMEWORKS.values(), *DEEP_LEARNING.values(), *RANDOM_CUT_FOREST.values()))
_OWN = re.compile(r"(\d{12}|\$\{AWS::AccountId\})\.dkr\.ecr\.")


def check(template: Template) -> Iterator[Finding]:
    """Find containers of models whose image is of a known registry that is not AWS's, named by tag."""
    for model in template.of_type("AWS::SageMaker::Model"):
        containers = [model.get("PrimaryContainer"), *model.each("Containers")]
        for image in (_image(container) for container in containers):
            registry = _OWN.match(image)
            if registry and registry[1] not in _AWS and "@" not in image:
                yield Finding(logical_id=model.logical_id, message=f"{image} is named by tag")
                break


def _image(container: Any) -> str:
    return text(container.get("Image", "")) if isinstance(container, dict) else ""


RULE = Rule(
    id="SM12",
    title="Images are pinned by digest or come from AWS",
    practices=("MLOPS04-BP02", "MLREL05-BP02"),
    severity=Severity.WARNING,
    explanation=(
        "A tag can be pushed again: the same template then runs other code, and a rollback does "
        "not bring the old code back."
    ),
    fix="Name your own images with @sha256:…, or use an image of AWS.",
    source="https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html",
    check=check,
)
