"""What a template hands to other stacks: somebody there may watch or guard it."""

from __future__ import annotations

from collections.abc import Mapping

from cdk_ml_lens.review import intrinsics
from cdk_ml_lens.review.template import Template


def is_exported(template: Template, logical_id: str) -> bool:
    """Tell whether an output with an export refers to a resource; an output alone only informs."""
    outputs = template.document.get("Outputs")
    given = outputs.values() if isinstance(outputs, Mapping) else ()
    exported = [one.get("Value") for one in given if isinstance(one, Mapping) and "Export" in one]
    return logical_id in intrinsics.references(exported)
