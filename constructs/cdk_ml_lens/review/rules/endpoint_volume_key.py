"""SM3: storage volumes of endpoints have a customer managed key."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.core.instance_types import has_local_storage
from cdk_ml_lens.review import endpoints
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template


def check(template: Template) -> Iterator[Finding]:
    """Find configurations without a key whose instances store on network volumes."""
    for config in template.of_type(endpoints.CONFIG):
        types = [variant.get("InstanceType") for variant in endpoints.variants(config)]
        on_volumes = [name for name in types if isinstance(name, str) and not has_local_storage(name)]
        if config.get("KmsKeyId") is None and on_volumes:
            yield Finding(logical_id=config.logical_id, message=f"KmsKeyId is not set for volumes of {on_volumes[0]}")


RULE = Rule(
    id="SM3",
    title="Storage volumes of endpoints are encrypted with a customer managed key",
    practices=("MLSEC02-BP01",),
    severity=Severity.ERROR,
    explanation=(
        "Models and what they cache lie on these volumes; without a key of yours nobody can revoke "
        "or audit access to them."
    ),
    fix=(
        "Set KmsKeyId of the endpoint configuration; instance types with local storage encrypt in "
        "hardware and take no key."
    ),
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/encryption-at-rest-nbi.html",
    check=check,
)
