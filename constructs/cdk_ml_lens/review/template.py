"""Template: a synthesized CloudFormation template as the rules see it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cdk_ml_lens.review import intrinsics


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource of a template.

    Parameters
    ----------
    logical_id : str
    type : str
        CloudFormation type: ``AWS::SageMaker::Model``.
    properties : mapping
        Its ``Properties``; empty if it has none.
    body : mapping
        The whole entry: ``DependsOn``, ``Metadata``, ``DeletionPolicy`` included.
    """

    logical_id: str
    type: str
    properties: Mapping[str, Any]
    body: Mapping[str, Any]

    def get(self, path: str, default: Any = None) -> Any:
        """Return the property at a dotted path, ``VpcConfig.Subnets``; see `intrinsics.at` for what is not known."""
        return intrinsics.at(self.properties, path, default)

    def each(self, path: str) -> list[Any]:
        """Return the list at a dotted path; empty where it is absent, one item where a single value stands there."""
        return intrinsics.each_value(self.get(path))

    def blocks(self, path: str) -> list[Mapping[str, Any]]:
        """Return the blocks of the list at a dotted path; what is only known at deployment is left out."""
        return [block for block in self.each(path) if isinstance(block, Mapping) and not intrinsics.intrinsic(block)]


class Template:
    """A view of one template; it never changes the document.

    Parameters
    ----------
    document : mapping
        The parsed template.
    others : tuple of Template, optional
        The other templates of the app, for rules about what is missing. Default: none.
    stack_tags : frozenset of str, optional
        Keys of the tags that the stack is deployed with; they are in the manifest, not in the template. Default: none.
    """

    def __init__(
        self,
        document: Mapping[str, Any],
        others: tuple[Template, ...] = (),
        stack_tags: frozenset[str] = frozenset(),
    ) -> None:
        self.document = document
        self.others = others
        self.stack_tags = stack_tags

    @cached_property
    def memo(self) -> dict[str, Any]:
        """What many rules ask for and is found once: the module that finds it has the key."""
        return {}

    @cached_property
    def resources(self) -> dict[str, Resource]:
        """Resources by logical id, in the order of the template."""
        entries = self.document.get("Resources") or {}
        return {
            logical_id: Resource(
                logical_id=logical_id, type=str(body.get("Type")), properties=body.get("Properties") or {}, body=body
            )
            for logical_id, body in entries.items()
            if isinstance(body, Mapping)
        }

    def of_type(self, *types: str) -> list[Resource]:
        """Return the resources of these types, in the order of the template."""
        if len(types) == 1:
            return list(self._by_type.get(types[0], ()))
        return [resource for resource in self.resources.values() if resource.type in types]

    @cached_property
    def _by_type(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for resource in self.resources.values():
            found.setdefault(resource.type, []).append(resource)
        return found

    def everywhere(self, *types: str) -> list[Resource]:
        """Return the resources of these types in this template, then in the app's other templates."""
        return [resource for template in (self, *self.others) for resource in template.of_type(*types)]

    def resource(self, logical_id: str) -> Resource | None:
        """Return one resource by its logical id."""
        return self.resources.get(logical_id)

    def targets(self, value: Any) -> list[Resource]:
        """Return the resources of this template that ``value`` refers to, each once."""
        names = dict.fromkeys(intrinsics.references(value))
        return [self.resources[name] for name in names if name in self.resources]

    def target(self, value: Any) -> Resource | None:
        """Return the first resource of this template that ``value`` refers to; None if it comes from outside."""
        return next(iter(self.targets(value)), None)

    def is_open(self, value: Any) -> bool:
        """Tell whether a value depends on what is not in this template: a parameter, an import, a condition."""
        text = intrinsics.text(value)
        named = (*intrinsics.placeholders(text), *intrinsics.references(value))
        foreign = any(name not in self.resources and not name.startswith("AWS::") for name in named)
        return foreign or '"Fn::I' in text  # Fn::If, Fn::ImportValue inside a list or an object

    def exports(self, logical_id: str) -> bool:
        """Tell whether an output exports something of a resource, so that other stacks may use it."""
        outputs = (self.document.get("Outputs") or {}).values()
        return any("Export" in output and logical_id in intrinsics.references(output["Value"]) for output in outputs)

    def users_of(self, logical_id: str) -> Iterator[Resource]:
        """Yield the resources whose properties refer to ``logical_id``."""
        for resource in self.resources.values():
            if logical_id in self._references[resource.logical_id]:
                yield resource

    @cached_property
    def _references(self) -> dict[str, frozenset[str]]:
        return {
            name: frozenset(intrinsics.references(resource.properties)) for name, resource in self.resources.items()
        }
