"""The entry points: one plugin a resource type, named `<service>_<noun>` in lower case."""

from __future__ import annotations

from typing import Any

from localstack.services.cloudformation.resource_provider import CloudFormationResourceProviderPlugin

from .kinds import KINDS, Kind
from .providers import provider_of


def _plugin(kind: Kind) -> type[Any]:
    class Plugin(CloudFormationResourceProviderPlugin):  # type: ignore[misc]  # LocalStack has no types
        name = kind.type

        def __init__(self) -> None:
            self.factory: type[Any] | None = None

        def load(self) -> None:
            self.factory = provider_of(kind)

    return Plugin


def _entry(type: str) -> str:
    return "custom_resource" if type.endswith("CustomResource") else "_".join(type.lower().split("::")[1:])


globals().update({_entry(kind.type): _plugin(kind) for kind in KINDS})
