"""What a synthesis with our plugin reports."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import aws_cdk as cdk

from cdk_ml_lens.review.checks import MlLensChecks
from cdk_ml_lens.review.rules import every_rule
from cdk_ml_lens.review.template import Template


def report_of(app: cdk.App, checks: MlLensChecks | None = None) -> dict[str, Any]:
    """Synthesize with the plugin and return its part of the report; an empty one if nothing was found."""
    cdk.Validations.of(app).add_plugins(MlLensChecks() if checks is None else checks)
    with suppress(RuntimeError):  # errors fail the synthesis after the report is written
        app.synth()
    report = json.loads((Path(app.outdir) / "validation-report.json").read_text())
    found = [part for part in report["pluginReports"] if part["pluginName"] == "MlLens"]
    assert not any("error" in (part.get("metadata") or {}) for part in found), found
    return dict(found[0]) if found else {"conclusion": "success", "violations": []}


def names(violations: list[dict[str, Any]]) -> list[str]:
    """Return ``rule path`` of each violation."""
    return [f"{one['ruleName']} {place['constructPath']}" for one in violations for place in one["violatingConstructs"]]


def findings(rule_id: str, resources: Mapping[str, Any], *others: Mapping[str, Any]) -> list[str]:
    """Return ``LogicalId`` or ``LogicalId[detail]`` for what one rule finds in a template.

    Resources are ``id: (type, properties)``; ``others`` are the resources of the app's other templates.
    """
    (rule,) = [rule for rule in every_rule() if rule.id == rule_id]
    template = Template(_document(resources), others=tuple(Template(_document(other)) for other in others))
    return [
        found.logical_id if found.detail is None else f"{found.logical_id}[{found.detail}]"
        for found in rule.check(template)
    ]


def _document(resources: Mapping[str, Any]) -> dict[str, Any]:
    return {"Resources": {id: {"Type": kind, "Properties": body} for id, (kind, body) in resources.items()}}
