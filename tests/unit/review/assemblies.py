"""Cloud assemblies for the tests of the report: of apps, and written by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from cdk_ml_lens.review import assembly
from cdk_ml_lens.review.review import Review, review
from tests.fixtures import plain_app

MODEL = {"Type": "AWS::SageMaker::Model", "Properties": {"ExecutionRoleArn": "arn"}}


def plain(folder: Path) -> Path:
    """Synthesize the app of plain resources with cdk-nag, one of whose findings it acknowledges."""
    app = cdk.App(outdir=str(folder))
    plain_app.build(app)
    notebook = app.node.find_child("Plain").node.find_child("Notebook")
    given = cdk.Acknowledgment(id="AwsSolutions::AwsSolutions-SM1", reason="The notebook is stopped & empty.")
    cdk.Validations.of(notebook).acknowledge(given)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    with suppress(RuntimeError):  # findings fail the synthesis after everything is written
        app.synth()
    return folder


def written(
    folder: Path,
    resources: Mapping[str, Any] | None = None,
    *,
    stack: str = "Hand",
    plugins: Sequence[Mapping[str, Any]] = (),
) -> Path:
    """Write an assembly of one stack, as an old CDK did: without metadata file, on one line."""
    folder.mkdir(parents=True, exist_ok=True)
    properties = {"templateFile": "Hand.template.json"}
    artifact = {"type": "aws:cloudformation:stack", "displayName": stack, "properties": properties}
    template = {"Resources": {"Model": MODEL} if resources is None else resources}
    for name, document in {
        "manifest.json": {"version": "1", "artifacts": {"Hand": artifact}},
        "Hand.template.json": template,
        "validation-report.json": {"pluginReports": list(plugins)},
    }.items():
        (folder / name).write_text(json.dumps(document))
    return folder


def plugin(*found: Mapping[str, Any], name: str = "AwsSolutions") -> dict[str, Any]:
    """Return the report of a plugin; a violation with a reason counts as acknowledged."""
    return {
        "pluginName": name,
        "conclusion": "failure",
        "violations": [one for one in found if "reason" not in one],
        "suppressedViolations": [one for one in found if "reason" in one],
    }


def violation(rule: str, *paths: str, **more: Any) -> dict[str, Any]:
    """Return a violation as the CDK writes it."""
    places = [{"constructPath": path} for path in paths]
    text = {"ruleName": rule, "description": f"{rule} is broken.", "severity": "error"}
    return {**text, "violatingConstructs": places, **more}


def reviewed(folder: Path, **options: Any) -> Review:
    """Review one assembly."""
    return review([assembly.read(folder, name="app")], title="Test", **options)
