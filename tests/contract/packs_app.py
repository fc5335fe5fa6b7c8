"""One app of every stack, with and without a model given by context, and of every example, checked by rule packs."""

from __future__ import annotations

import importlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import aws_cdk as cdk

import app as product
from cdk_ml_lens import add_packs

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.py") if not path.stem.startswith("test_"))


def stacks_app(outdir: Path, **context: object) -> cdk.App:
    """Return an app of all stacks, with the settings of ``cdk.json``."""
    app = cdk.App(context={**product.flags(), **context}, outdir=str(outdir))
    for name, stack in product.STACKS.items():
        stack(app, f"Stack{name}")
    return app


def add_examples(app: cdk.App) -> None:
    """Build every example in the app."""
    for name in EXAMPLES:
        importlib.import_module(f"examples.{name}").build(app)


def verdicts(app: cdk.App, *packs: str) -> dict[str, Any]:
    """Synthesize with the packs on; return their reports by name."""
    add_packs(app, *packs)
    with suppress(RuntimeError):  # raised for findings that nobody acknowledged; the report is written first
        app.synth()
    reports = json.loads((Path(app.outdir) / "validation-report.json").read_text(encoding="utf-8"))["pluginReports"]
    # An example may have added a pack of its own.
    return {report["pluginName"]: report for report in reports if report["pluginName"] in packs}


def found(report: dict[str, Any]) -> set[tuple[str, str]]:
    """Return rule and construct of every finding that nobody acknowledged."""
    return {
        (violation["ruleName"].removeprefix(f"{report['pluginName']}-"), construct["constructPath"])
        for violation in report["violations"]
        for construct in violation["violatingConstructs"]
    }
