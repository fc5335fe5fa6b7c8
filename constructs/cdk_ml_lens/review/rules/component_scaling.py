"""SM16: every inference component scales with its load."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.intrinsics import text
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template

_TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"


def check(template: Template) -> Iterator[Finding]:
    """Find components with copies of their own that no scalable target of the app names."""
    targets = {text(one.get("ResourceId")) for one in template.everywhere(_TARGET)}
    for component in template.of_type("AWS::SageMaker::InferenceComponent"):
        if component.get("Specification.BaseInferenceComponentName") is not None:  # an adapter
            continue
        names = {
            text(component.get("InferenceComponentName")),
            f"${{{component.logical_id}.InferenceComponentName}}",
        }
        named = any(f"inference-component/{name}" in targets for name in names)
        if not named and not any("/" not in target and template.is_open(target) for target in targets):
            yield Finding(logical_id=component.logical_id, message="no scalable target names it: its copies are fixed")


RULE = Rule(
    id="SM16",
    title="Every inference component scales with its load",
    practices=("MLREL05-BP01", "MLSUS05-BP04"),
    severity=Severity.WARNING,
    explanation=(
        "A component with a fixed number of copies holds accelerators that it does not need, or lacks them at the peak."
    ),
    fix="Add a ScalableTarget for inference-component/<name> with a policy.",
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html",
    check=check,
)
