"""Fixtures of the synth tier: a fresh stack, its template as plain JSON, and cdk-nag's verdict on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import aws_cdk as cdk
import pytest

from tests.unit.templates import Template


@pytest.fixture
def app(tmp_path: Path) -> cdk.App:
    """An app of its own output directory, so that nothing scans an old one."""
    return cdk.App(outdir=str(tmp_path / "cdk.out"))


@pytest.fixture
def stack(app: cdk.App) -> cdk.Stack:
    """An environment-agnostic stack."""
    return cdk.Stack(app, "Test")


@pytest.fixture
def synth(app: cdk.App) -> Callable[[cdk.Stack], Template]:
    """Synthesize the app and return the template of one stack."""

    def template(stack: cdk.Stack) -> Template:
        return Template(app.synth().get_stack_by_name(stack.stack_name).template)

    return template


@pytest.fixture
def nag(app: cdk.App, tmp_path: Path) -> Callable[[cdk.Stack], list[str]]:
    """Return what AwsSolutions finds and nobody acknowledged, from the report that ``cdk synth`` writes."""

    def findings(stack: cdk.Stack) -> list[str]:
        from cdk_nag import AwsSolutionsChecks

        cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
        with suppress(RuntimeError):  # synth raises when there are findings; the report is written first
            app.synth()
        reports = json.loads((tmp_path / "cdk.out" / "validation-report.json").read_text())["pluginReports"]
        return [
            f"{violation['ruleName']} {construct['constructPath']}"
            for report in reports  # none at all when the pack found nothing
            for violation in report["violations"]
            for construct in violation["violatingConstructs"]
        ]

    return findings


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    """A file with the name of an artifact; its content is never read at synth."""
    path = tmp_path / "model.tar.gz"
    path.write_bytes(b"only the name and the hash matter at synth")
    return path
