"""Plain-JSON reading of a synthesized template: faster and clearer than assertions across jsii."""

from __future__ import annotations

import json
from typing import Any


class Template:
    """One CloudFormation template."""

    def __init__(self, body: Any) -> None:
        self.body: dict[str, Any] = body
        self.resources: dict[str, dict[str, Any]] = body["Resources"]

    def of_type(self, cfn_type: str) -> dict[str, dict[str, Any]]:
        """Return logical id → resource, of one type."""
        return {id: res for id, res in self.resources.items() if res["Type"] == cfn_type}

    def only(self, cfn_type: str) -> dict[str, Any]:
        """Return the properties of the one resource of a type."""
        ((_, resource),) = self.of_type(cfn_type).items()
        return dict(resource["Properties"])

    def statements(self, part_of_id: str = "") -> list[dict[str, Any]]:
        """Return the statements of every role policy whose logical id contains a text."""
        found: list[dict[str, Any]] = []
        for id, resource in self.of_type("AWS::IAM::Policy").items():
            if part_of_id in id:
                found += resource["Properties"]["PolicyDocument"]["Statement"]
        return found

    def actions(self, part_of_id: str = "") -> set[str]:
        """Return every action that those statements allow."""
        found: set[str] = set()
        for statement in self.statements(part_of_id):
            action = statement["Action"]
            found |= {action} if isinstance(action, str) else set(action)
        return found

    def depends_on(self, logical_id: str) -> set[str]:
        """Return the explicit dependencies of a resource."""
        return set(self.resources[logical_id].get("DependsOn", []))

    def text(self) -> str:
        """Return the template as sorted JSON."""
        return json.dumps(self.body, sort_keys=True)
