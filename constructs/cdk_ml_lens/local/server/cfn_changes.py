"""Change sets see an attribute of another resource: MiniStack takes every Fn::GetAtt for the same empty text."""

from __future__ import annotations

from typing import Any

from ministack.services.cloudformation import changesets

Template = dict[str, Any]


def install() -> None:
    """Compare templates by the attributes that they name, so that a property which names another one has changed."""
    original = changesets._resolve_props_for_diff

    def resolve(template: Template, params: Any, stack_name: str, stack_id: str) -> Template:
        resolved: Template = original(_named(template), params, stack_name, stack_id)
        return resolved

    changesets._resolve_props_for_diff = resolve


def _named(value: Any) -> Any:
    """Return a part of a template with its attributes as references, which stand for themselves in a comparison."""
    if isinstance(value, list):
        return [_named(item) for item in value]
    if not isinstance(value, dict):
        return value
    if (found := value.get("Fn::GetAtt")) is not None:
        return {"Ref": found if isinstance(found, str) else ".".join(map(str, found))}
    return {key: _named(item) for key, item in value.items()}
